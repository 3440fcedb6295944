import type { ComponentChildren } from 'preact';
import { useFigures } from './figures.js';

/** Name and value; what is undefined is not there. */
export type Fact = [name: string, value: ComponentChildren | undefined];

export function Facts({ facts }: { facts: Fact[] }) {
  return (
    <dl class="facts">
      {facts.map(
        ([name, value]) =>
          value !== undefined && (
            <div key={name}>
              <dt>{name}</dt>
              <dd>
                <bdi>{value}</bdi>
              </dd>
            </div>
          ),
      )}
    </dl>
  );
}

export function When({ time }: { time: string }) {
  const { moment, ago } = useFigures();
  return (
    <time dateTime={time} title={moment(time)}>
      {ago(time)}
    </time>
  );
}
