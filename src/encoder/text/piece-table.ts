/** Pieces of a vocabulary with their scores, in a few arrays of numbers: as strings in maps and tries they take tens of megabytes. */
export class PieceTable {
  readonly scores: Float64Array;
  /** UTF-16 code units of all pieces, one after the other, and where each begins. */
  readonly #units: Uint16Array;
  readonly #starts: Uint32Array;
  /** By hash, the next free place where that is taken: a piece's number and one more, or 0. */
  readonly #places: Uint32Array;
  /** What is set beside the pieces. */
  readonly #more = new Map<string, number>();
  #longest = 0;

  constructor(pieces: readonly (readonly [piece: string, score: number])[]) {
    this.scores = Float64Array.from(pieces, ([, score]) => score);
    this.#starts = new Uint32Array(pieces.length + 1);
    this.#units = new Uint16Array(pieces.reduce((sum, [piece]) => sum + piece.length, 0));
    this.#places = new Uint32Array(2 ** Math.ceil(Math.log2(2 * pieces.length + 2)));
    let at = 0;
    for (const [id, [piece]] of pieces.entries()) {
      for (let i = 0; i < piece.length; i++) this.#units[at++] = piece.charCodeAt(i);
      this.#starts[id + 1] = at;
      this.#longest = Math.max(this.#longest, piece.length);
      // Of two that are the same, the later one counts.
      this.#places[this.#placeOf(piece, hashOf(piece, 0, piece.length, seed))] = id + 1;
    }
  }

  piece(id: number): string {
    return String.fromCharCode(...this.#units.subarray(this.#starts[id], this.#starts[id + 1]));
  }

  /** Beside the pieces, or instead of one. */
  set(token: string, id: number): void {
    this.#more.set(token, id);
  }

  get(token: string): number | undefined {
    return this.#more.get(token) ?? this.#find(token, hashOf(token, 0, token.length, seed));
  }

  has(token: string): boolean {
    return this.get(token) !== undefined;
  }

  /** Those with which what `characters` make from `start` on begins, the shortest first. */
  *common_prefix_search(characters: readonly string[], start = 0): Generator<string, void> {
    let prefix = '';
    let hash = seed;
    for (let i = start; i < characters.length; i++) {
      const character = characters[i]!;
      prefix += character;
      if (prefix.length > this.#longest) return;
      hash = hashOf(character, 0, character.length, hash);
      if (this.#find(prefix, hash) !== undefined) yield prefix;
    }
  }

  #find(token: string, hash: number): number | undefined {
    const found = this.#places[this.#placeOf(token, hash)]!;
    return found === 0 ? undefined : found - 1;
  }

  /** Where it is, or would be. */
  #placeOf(token: string, hash: number): number {
    const mask = this.#places.length - 1;
    let place = spread(hash) & mask;
    for (; this.#places[place] !== 0; place = (place + 1) & mask) if (this.#is(this.#places[place]! - 1, token)) break;
    return place;
  }

  #is(id: number, token: string): boolean {
    const start = this.#starts[id]!;
    if (this.#starts[id + 1]! - start !== token.length) return false;
    for (let i = 0; i < token.length; i++) if (this.#units[start + i] !== token.charCodeAt(i)) return false;
    return true;
  }
}

/** FNV-1a, over code units: it goes on where it has stopped. */
const seed = 0x811c9dc5;

function hashOf(text: string, from: number, to: number, before: number): number {
  let hash = before;
  for (let i = from; i < to; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash;
}

/** The upper bits into the lower ones, which choose the place. */
function spread(hash: number): number {
  return (hash ^ (hash >>> 15)) >>> 0;
}
