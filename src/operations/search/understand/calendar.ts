/** Stretches of days, UTC. Weeks begin on Monday (ISO 8601); seasons are the meteorological ones of the north. */
import type { Filter } from '../../../domain/filter.js';

/** Days since 1970: from the first to the one before the last; open where a side is left out. */
export interface Days {
  from?: number;
  to?: number;
}

export type Unit = 'day' | 'week' | 'weekend' | 'month' | 'year';

const dayMs = 86_400_000;
export const dayOf = (at: Date): number => Math.floor(at.getTime() / dayMs);
/** `month`: 0..11, and beyond into other years. */
const dayAt = (year: number, month: number, day = 1): number => Date.UTC(year, month, day) / dayMs;
const partsOf = (day: number): { year: number; month: number } => {
  const at = new Date(day * dayMs);
  return { year: at.getUTCFullYear(), month: at.getUTCMonth() };
};
/** Monday is 0. */
const weekdayOf = (day: number): number => (((day + 3) % 7) + 7) % 7;

/** `undefined` where there is no such day. */
export function dateOf(year: number, month: number, day: number): Days | undefined {
  const from = dayAt(year, month, day);
  const is = partsOf(from);
  return is.year === year && is.month === month ? { from, to: from + 1 } : undefined;
}

/** That day of the month in which another is. */
export function dayInMonth(of: number, day: number): number | undefined {
  const { year, month } = partsOf(of);
  return dateOf(year, month, day)?.from;
}

export const monthOf = (year: number, month: number): Days => ({ from: dayAt(year, month), to: dayAt(year, month + 1) });
export const yearsOf = (year: number, count = 1): Days => ({ from: dayAt(year, 0), to: dayAt(year + count, 0) });
/** `season`: 0 spring, 1 summer, 2 autumn, 3 winter, which goes on into the next year. */
export const seasonOf = (year: number, season: number): Days => ({ from: dayAt(year, 2 + 3 * season), to: dayAt(year, 5 + 3 * season) });

/** Christmas, Christmas Eve, New Year's Eve, Halloween, Valentine's Day: month, first day, days. */
const holidays: readonly (readonly [number, number, number])[] = [[11, 24, 3], [11, 24, 1], [11, 31, 1], [9, 31, 1], [1, 14, 1]];
export function holidayOf(year: number, holiday: number): Days {
  const [month, day, count] = holidays[holiday]!;
  const from = dayAt(year, month, day);
  return { from, to: from + count };
}

/** Of a month its days from the 1st, the 11th or the 21st, of a year four months; `undefined` where it is neither. `third`: 0..2. */
export function thirdOf({ from, to }: Days, third: number): Days | undefined {
  if (from === undefined || to === undefined) return undefined;
  const { year, month } = partsOf(from);
  if (from === dayAt(year, month) && to === dayAt(year, month + 1)) return { from: from + 10 * third, to: third === 2 ? to : from + 10 * third + 10 };
  if (from === dayAt(year, 0) && to === dayAt(year + 1, 0)) return { from: dayAt(year, 4 * third), to: dayAt(year, 4 * third + 4) };
  return undefined;
}

/** The unit that lies so many units from the present one. */
export function unitAt(unit: Unit, offset: number, today: number): Days {
  const { year, month } = partsOf(today);
  const monday = today - weekdayOf(today) + 7 * offset;
  switch (unit) {
    case 'day':
      return { from: today + offset, to: today + offset + 1 };
    case 'week':
      return { from: monday, to: monday + 7 };
    case 'weekend':
      return { from: monday + 5, to: monday + 7 };
    case 'month':
      return { from: dayAt(year, month + offset), to: dayAt(year, month + offset + 1) };
    case 'year':
      return yearsOf(year + offset);
  }
}

/** The last `count` days, weeks, months or years up to today. */
export function lastUnits(unit: Unit, count: number, today: number): Days {
  const at = new Date(today * dayMs);
  const days = { day: 1, week: 7, weekend: 7, month: 0, year: 0 }[unit] * count;
  const from = days > 0 ? today - days : dayAt(at.getUTCFullYear() - (unit === 'year' ? count : 0), at.getUTCMonth() - (unit === 'month' ? count : 0), at.getUTCDate());
  return { from, to: today + 1 };
}

/** The last one of those, year by year, that is over; or the present one, else the last that has begun. */
export function lastOfYearly(of: (year: number) => Days, today: number, isOver: boolean): Days {
  const { year } = partsOf(today);
  for (let back = 0; ; back++) {
    const days = of(year - back);
    if (isOver ? days.to! <= today : days.from! <= today) return days;
  }
}

/** That of the present year; of the winter, the one that it is or that comes. */
export function thisYears(of: (year: number) => Days, today: number): Days {
  const before = of(partsOf(today).year - 1);
  return before.to! > today ? before : of(partsOf(today).year);
}

export const ofLastYear = (of: (year: number) => Days, today: number, back: number): Days => of(partsOf(today).year - back);

/** The day of that name in the week that lies so many from the present one. */
export function weekdayIn(week: number, weekday: number, today: number): Days {
  const from = unitAt('week', week, today).from! + weekday;
  return { from, to: from + 1 };
}

/** The last day of that name before today. `weekday`: 0 is Monday. */
export function lastWeekday(weekday: number, today: number): Days {
  const from = today - 1 - ((weekdayOf(today - 1) - weekday + 7) % 7);
  return { from, to: from + 1 };
}

export const presentYear = (today: number): number => partsOf(today).year;

/** As filters have it. */
export function filterOf({ from, to }: Days, field = '$item.taken_at'): Filter {
  const told = (day: number): string => new Date(day * dayMs).toISOString().slice(0, 10);
  return { [field]: { ...(from === undefined ? {} : { $gte: told(from) }), ...(to === undefined ? {} : { $lt: told(to) }) } };
}
