import { Option, type Command } from 'commander';
import { settings, type SettingName } from '../config.js';

/** From commander's name of a flag to the setting's. */
const names = new Map<string, SettingName>();

/** Each setting of the service as a flag. */
export function withSettings(command: Command): Command {
  for (const [name, setting] of Object.entries(settings)) {
    if (setting.flag === undefined) {
      command.addHelpText('after', `\n${setting.env}: ${setting.description} (default: ${setting.shown}; no flag, as others see a command line)`);
      continue;
    }
    const option = new Option(setting.flag, `${setting.description} (default: ${setting.shown}; environment: ${setting.env})`);
    command.addOption(option);
    names.set(option.attributeName(), name as SettingName);
  }
  return command;
}

/** What was given of them, as `readConfig` takes it. */
export function settingsOf(options: Record<string, string | true>): Partial<Record<SettingName, string>> {
  return Object.fromEntries(Object.entries(options).map(([attribute, text]) => [names.get(attribute)!, text === true ? 'yes' : text]));
}
