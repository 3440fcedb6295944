const service = 'http://127.0.0.1:8080';
const headers = { 'content-type': 'application/json', authorization: `Bearer ${process.env['MIXSPACE_API_KEY'] ?? 'none'}` };

const answer = await fetch(`${service}/v1/collections/default/search`, {
  method: 'POST',
  headers,
  body: JSON.stringify({ query: 'two dogs in the snow', modality: 'image', cutoff: 'auto', limit: 5 }),
});
if (!answer.ok) throw new Error(((await answer.json()) as { error: { message: string } }).error.message);

const { matches } = (await answer.json()) as { matches: { id: string; score: number; sources: string[]; image_url?: string }[] };
for (const { score, sources, id } of matches) console.log(score.toFixed(3), sources[0] ?? id);
