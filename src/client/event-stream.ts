export interface StreamedEvent {
  event: string;
  id: string;
  data: string;
}

/** The events of a `text/event-stream`, as the HTML standard reads them; the last one only if it is whole. */
export async function* eventsOf(body: ReadableStream<Uint8Array>): AsyncGenerator<StreamedEvent, void, undefined> {
  let event = emptyEvent();
  for await (const line of linesOf(body)) {
    if (line === '') {
      if (event.data !== '') yield { ...event, data: event.data.slice(0, -1) };
      event = { ...emptyEvent(), id: event.id };
      continue;
    }
    const colon = line.indexOf(':');
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (field === 'event') event.event = value;
    else if (field === 'id') event.id = value;
    else if (field === 'data') event.data += `${value}\n`;
  }
}

const emptyEvent = (): StreamedEvent => ({ event: 'message', id: '', data: '' });

/** Without their ends; what follows the last end is no line. */
async function* linesOf(body: ReadableStream<Uint8Array>): AsyncGenerator<string, void, undefined> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let rest = '';
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      rest += decoder.decode(value, { stream: true });
      // A CR at the very end may be half of a CRLF.
      const lines = rest.split(/\r\n|\n|\r(?!$)/);
      rest = lines.pop()!;
      yield* lines;
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}
