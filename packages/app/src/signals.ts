import { constants } from 'node:os'

/** Ctrl-C, a polite kill, and the end of the terminal. */
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
export type StopSignal = (typeof SIGNALS)[number]

/** What a shell reports for a process that ended by a signal. */
export function exitCodeOf(signal: StopSignal): number {
  return 128 + constants.signals[signal]
}

/** The first signal asks `stop` to end things in order; the second ends the process at once. */
export function onStopSignals(stop: (signal: StopSignal) => void): void {
  let isStopping = false
  for (const signal of SIGNALS) {
    process.on(signal, () => {
      if (isStopping) process.exit(exitCodeOf(signal))
      isStopping = true
      stop(signal)
    })
  }
}
