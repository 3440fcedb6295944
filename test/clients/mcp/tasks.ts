/** Runs the tasks of tasks.json with one client, and judges each. */
export interface Task {
  task: string;
  on?: 'without writes';
  steps: Step[];
}
interface Step {
  call?: string;
  read?: string;
  arguments?: Record<string, unknown>;
  save?: Record<string, string>;
  expect: Expectation[];
}
/** `at`: a path into the answer; `*` stands for all of a list. */
interface Expectation {
  at: string;
  is?: unknown;
  has?: unknown;
  lacks?: unknown;
  length?: number;
  matches?: string;
  falsy?: true;
  /** A path: what stands there is less. */
  above?: string;
}

export interface Caller {
  callTool(request: { name: string; arguments: Record<string, unknown> }): Promise<unknown>;
  readResource(request: { uri: string }): Promise<unknown>;
  close(): Promise<void>;
}

/** How many were right; those that were not are told. */
export async function rightOf(tasks: Task[], callers: Record<'main' | 'without writes', Caller>, pictures: Record<string, string>): Promise<number> {
  let right = 0;
  for (const { task, on, steps } of tasks) {
    const known: Record<string, unknown> = { ...pictures };
    try {
      for (const step of steps) {
        const caller = callers[on ?? 'main'];
        const answer = step.read === undefined ? await caller.callTool({ name: step.call!, arguments: filled(step.arguments, known) as Record<string, unknown> }) : await caller.readResource({ uri: step.read });
        for (const [name, at] of Object.entries(step.save ?? {})) known[name] = valueAt(answer, at.split('.'));
        for (const expectation of step.expect) judge(answer, filled(expectation, known) as Expectation);
      }
      right++;
    } catch (error) {
      console.log(`  wrong: ${task}: ${(error as Error).message.slice(0, 300)}`);
    }
  }
  return right;
}

function filled(value: unknown, known: Record<string, unknown>): unknown {
  if (typeof value === 'string') {
    const name = /^\{\{(.+)\}\}$/.exec(value)?.[1];
    return name === undefined ? value : known[name];
  }
  if (Array.isArray(value)) return value.map((each) => filled(each, known));
  if (typeof value === 'object' && value !== null) return Object.fromEntries(Object.entries(value).map(([field, each]) => [field, filled(each, known)]));
  return value;
}

function valueAt(value: unknown, [first, ...rest]: string[]): unknown {
  if (first === undefined) return value;
  if (first === '*') return (value as unknown[]).map((each) => valueAt(each, rest));
  return valueAt((value as Record<string, unknown> | undefined)?.[first], rest);
}

function judge(answer: unknown, { at, ...expected }: Expectation): void {
  const value = valueAt(answer, at.split('.'));
  const list = value as unknown[];
  const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);
  const wrong =
    ('is' in expected && !same(value, expected.is)) ||
    ('has' in expected && !list.some((each) => same(each, expected.has))) ||
    ('lacks' in expected && list.some((each) => same(each, expected.lacks))) ||
    (expected.length !== undefined && list?.length !== expected.length) ||
    (expected.matches !== undefined && !new RegExp(expected.matches).test(String(value))) ||
    (expected.falsy && Boolean(value)) ||
    (expected.above !== undefined && !((value as number) > (valueAt(answer, expected.above.split('.')) as number)));
  if (wrong) throw new Error(`${at} is ${JSON.stringify(value)?.slice(0, 200)}, expected ${JSON.stringify(expected).slice(0, 200)}`);
}
