import { Command, InvalidArgumentError, Option } from 'commander';

export interface ServiceFlags {
  url: string;
}

export interface ClientFlags extends ServiceFlags {
  json?: true;
}

/** A command that calls a service. The key comes from the environment alone: arguments are seen by everyone on the machine. */
export function serviceCommand(name: string, description: string): Command {
  return new Command(name)
    .description(description)
    .addOption(new Option('--url <url>', 'where the service is').env('MIXSPACE_URL').default('http://127.0.0.1:8080'))
    .addHelpText('after', '\nWhere the service asks for a key, MIXSPACE_API_KEY holds it.');
}

/** One that prints its answer for people, or as JSON. */
export function clientCommand(name: string, description: string): Command {
  return serviceCommand(name, description).option('--json', 'print the answer as JSON');
}

export const collectionOption = (): Option => new Option('--collection <name>', 'the collection').default('default');

export function wholeNumber(text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < 1) throw new InvalidArgumentError('It takes a whole number from 1.');
  return value;
}

export function decimal(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value)) throw new InvalidArgumentError('It takes a number.');
  return value;
}

export function jsonObject(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  } catch {
    // Told below, like any other value that is no object.
  }
  throw new InvalidArgumentError('It takes a JSON object.');
}
