import type { Millis } from '../src/util/flavored.ts'

/** A length of time; the given parts add up. A plain number means milliseconds. */
export type Duration =
  | Millis
  | {
      readonly ms?: number
      readonly seconds?: number
      readonly minutes?: number
      readonly hours?: number
      readonly days?: number
    }

/** `duration` in milliseconds. */
export function durationMillis(duration: Duration): Millis {
  if (typeof duration === 'number') return duration
  const { ms = 0, seconds = 0, minutes = 0, hours = 0, days = 0 } = duration
  return ms + 1000 * (seconds + 60 * (minutes + 60 * (hours + 24 * days)))
}
