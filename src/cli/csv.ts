/** As RFC 4180 quotes it; what a spreadsheet would take for a formula stays text. */
export const csvField = (text: string): string => `"${(/^[=+@\t\r-]/.test(text) ? `'${text}` : text).replaceAll('"', '""')}"`;
