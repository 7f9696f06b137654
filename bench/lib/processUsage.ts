import { readdirSync, readFileSync } from 'node:fs'

/** USER_HZ: the unit of /proc's processor times on Linux, 10 ms. */
const TICKS_PER_SECOND = 100

export interface MemoryUse {
  /** Bytes resident now (VmRSS). */
  readonly resident: number
  /** Most bytes that were ever resident (VmHWM). */
  readonly peak: number
}

/** User and system seconds of `pid` with all its threads and of its children, living and waited for. */
export function cpuSeconds(pid: number): number {
  let ticks = 0
  for (const member of processTree(pid)) {
    const fields = statFields(member)
    // utime, stime, cutime, cstime
    for (const field of [14, 15, 16, 17]) ticks += Number(fields?.[field - 3] ?? 0)
  }
  return ticks / TICKS_PER_SECOND
}

/** User and system seconds of the children of this process that have ended. */
export function endedChildrenCpuSeconds(): number {
  const fields = statFields(process.pid)
  // cutime, cstime
  return (Number(fields?.[16 - 3] ?? 0) + Number(fields?.[17 - 3] ?? 0)) / TICKS_PER_SECOND
}

/** Memory of `pid` and its living children, added up. */
export function memoryUse(pid: number): MemoryUse {
  let [resident, peak] = [0, 0]
  for (const member of processTree(pid)) {
    const status = readText(`/proc/${member}/status`)
    resident += kilobytes(status, 'VmRSS') * 1024
    peak += kilobytes(status, 'VmHWM') * 1024
  }
  return { resident, peak }
}

function processTree(root: number): number[] {
  const children = new Map<number, number[]>()
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue
    const parent = Number(statFields(Number(name))?.[1] ?? 0)
    children.set(parent, [...(children.get(parent) ?? []), Number(name)])
  }
  const tree = [root]
  for (const pid of tree) tree.push(...(children.get(pid) ?? []))
  return tree
}

/** The fields of /proc/PID/stat from the third (state) on: the second, the name, may hold blanks and brackets. */
function statFields(pid: number): string[] | null {
  const text = readText(`/proc/${pid}/stat`)
  return text === '' ? null : text.slice(text.lastIndexOf(')') + 2).split(' ')
}

function kilobytes(status: string, name: string): number {
  return Number(status.match(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm'))?.[1] ?? 0)
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
