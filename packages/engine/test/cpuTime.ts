/**
 * Processor time this process has used so far, ms: what work costs, however busy the machine is with other things. For tests
 * that say how long work without waiting may take.
 */
export function cpuTime(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}
