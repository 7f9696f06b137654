/** Takes what our own code threw. Must not throw. */
export type FaultReport = (cause: unknown) => void

/**
 * A callback for the event loop that never throws: what `callback` throws goes to `report`, in place of ending the
 * process. @see docs/architecture.md, "When our own code fails"
 */
export function guarded<Args extends readonly unknown[]>(
  callback: (...args: Args) => void,
  report: FaultReport,
): (...args: Args) => void {
  return (...args) => {
    try {
      callback(...args)
    } catch (cause) {
      report(cause)
    }
  }
}
