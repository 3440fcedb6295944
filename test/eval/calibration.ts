export interface Guess {
  /** 1 for a right guess. */
  place: number;
  /** That the first guess is right, as the service says. */
  probability: number;
}

const bins = 15;

/** How far probability and share of right guesses lie apart, on average over guesses put into 15 bins of equal width (Guo et al. 2017). */
export function expectedCalibrationError(guesses: Guess[]): number {
  const binned = Array.from({ length: bins }, (_, bin) => guesses.filter(({ probability }) => Math.min(bins - 1, Math.floor(probability * bins)) === bin));
  const mean = (values: number[]): number => values.reduce((a, b) => a + b, 0) / values.length;
  return binned
    .filter((bin) => bin.length > 0)
    .map((bin) => (bin.length / guesses.length) * Math.abs(mean(bin.map(({ place }) => Number(place === 1))) - mean(bin.map(({ probability }) => probability))))
    .reduce((a, b) => a + b, 0);
}
