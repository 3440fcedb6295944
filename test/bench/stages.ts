/** Where the service's time went, read from its own /metrics. */
export interface Stages {
  /** Seconds of CPU of the service and its encoder workers. */
  cpu: number;
  /** Seconds by stage, all workers together. */
  stages: Map<string, number>;
  /** Since it was last read. */
  lagP99: number;
}

export async function readStages(url: string): Promise<Stages> {
  const text = await (await fetch(`${url}/metrics`)).text();
  const number = (name: string): number => Number(new RegExp(`^${name} (\\S+)`, 'm').exec(text)?.[1] ?? NaN);
  const sums = text.matchAll(/^mixspace_stage_seconds_sum\{stage="(\w+)"\} (\S+)/gm);
  return {
    cpu: number('process_cpu_seconds_total') + number('mixspace_encoder_cpu_seconds'),
    stages: new Map([...sums].map(([, stage, sum]) => [stage!, Number(sum)])),
    lagP99: number('mixspace_event_loop_lag_p99_seconds'),
  };
}

/** Milliseconds of each stage for one of `count` pictures. */
export function perPicture(before: Stages, after: Stages, count: number): string {
  const spent = [...after.stages].map(([stage, sum]) => [stage, sum - (before.stages.get(stage) ?? 0)] as const);
  return millisecondsEach([...spent, ['cpu', after.cpu - before.cpu] as const].filter(([stage]) => stage !== 'queue'), count);
}

/** `spent`: seconds by stage, of `count` pictures together. */
export function millisecondsEach(spent: Iterable<readonly [stage: string, seconds: number]>, count: number): string {
  return [...spent].filter(([, sum]) => sum > 0).map(([stage, sum]) => `${stage} ${((1000 * sum) / count).toFixed(2)}`).join(', ');
}
