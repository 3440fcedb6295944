/** Tables as files (RFC 4180). */

export type CsvCell = string | number | null | undefined;

/** A text that a spreadsheet would take for a formula gets an apostrophe in front (OWASP, "CSV injection"). */
const cellOf = (cell: CsvCell): string => {
  if (cell === null || cell === undefined) return '';
  if (typeof cell === 'number') return String(cell);
  const text = /^[=+\-@\t\r]/.test(cell) ? `'${cell}` : cell;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
};

export const csvOf = (rows: CsvCell[][]): string => rows.map((row) => `${row.map(cellOf).join(',')}\r\n`).join('');

/** Saves a file where the browser puts downloads. CSV begins with a byte order mark, by which spreadsheets know UTF-8. */
export function download(name: string, text: string, type: 'text/csv' | 'application/json'): void {
  const address = URL.createObjectURL(new Blob([type === 'text/csv' ? '\uFEFF' : '', text], { type: `${type};charset=utf-8` }));
  const link = document.createElement('a');
  link.href = address;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}
