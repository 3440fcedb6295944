/** Lists of several kinds made comparable: in one space texts lie apart from pictures, so the same cosine means more in one list than in the other. */

/** Of scores of one list: what makes them comparable with those of others. Rises with the score. */
export interface ScoreScale {
  standard(score: number): number;
  /** At or below every score whose standard is at least that. */
  scoreAt(standard: number): number;
}

/** A list that is measured on so few counts half, its lists' common spread the other half: else the only text there is would be as usual as can be. */
const asGoodAsMeasured = 16;
const leastDeviation = 1e-3;
/** More than rounding makes of a score there and back. */
const rounding = 1e-9;

/** Scores as they are. */
export const plainScale: ScoreScale = { standard: (score) => score, scoreAt: (standard) => standard };

/**
 * For each list, scores less the query's mean score against the list, over their deviation: subtracting each kind's mean
 * closes the modality gap (GR-CLIP, arXiv 2507.19054), and the deviation makes up for kinds whose scores lie wider apart.
 */
export function standardScores(spreads: { mean: number; deviation: number; sampled: number }[]): ScoreScale[] {
  const all = spreads.reduce((sum, { sampled }) => sum + sampled, 0);
  if (spreads.length < 2 || spreads.filter(({ sampled }) => sampled > 0).length < 2) return spreads.map(() => plainScale);
  const common = (of: (spread: (typeof spreads)[number]) => number): number => spreads.reduce((sum, spread) => sum + spread.sampled * of(spread), 0) / all;
  const mean = common((spread) => spread.mean);
  const variance = common((spread) => spread.deviation ** 2 + (spread.mean - mean) ** 2);
  return spreads.map((spread) => {
    const weight = spread.sampled / (spread.sampled + asGoodAsMeasured);
    return scaleOf(weight * spread.mean + (1 - weight) * mean, Math.max(leastDeviation, Math.sqrt(weight * spread.deviation ** 2 + (1 - weight) * variance)));
  });
}

/** Standard scores are those of a given mean and deviation. */
export function scaleOf(mean: number, deviation: number): ScoreScale & { mean: number; deviation: number } {
  return {
    mean,
    deviation,
    standard: (score) => (score - mean) / deviation,
    scoreAt: (standard) => standard * deviation + mean - (Number.isFinite(standard) ? rounding : 0),
  };
}
