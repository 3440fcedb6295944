/** What processes and threads begin with, by their paths in src/ and dist/: each is packed with all that it loads. */
export const packedEntries = ['cli/program', 'encoder/worker/worker', 'store/embedded/worker'];
