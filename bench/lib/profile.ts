import { readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { asFields, type Fields } from '../../interop/lib/fields.ts'

const TOP_FUNCTIONS = 25

/** Not work of ours: waiting, and native code outside any function. */
const NOT_FUNCTIONS = new Set(['(root)', '(idle)'])

/** Node's options that make a process write CPU profiles of all its threads to `directory` when it exits. */
export function profileOptions(directory: string): string[] {
  return ['--cpu-prof', '--cpu-prof-interval', '500', '--cpu-prof-dir', directory]
}

/** The functions with the most self time in the profiles of `directory`: main threads first, then workers. */
export function profileTable(directory: string): string {
  const files = readdirSync(directory).filter((name) => name.endsWith('.cpuprofile'))
  // CPU.<date>.<time>.<pid>.<thread>.<number>.cpuprofile: the main thread is 0.
  const isMain = (name: string) => name.split('.').at(-3) === '0'
  const groups = [
    ['main thread', files.filter(isMain)],
    ['workers', files.filter((name) => !isMain(name))],
  ] as const
  return groups
    .filter(([, names]) => names.length > 0)
    .map(([title, names]) => `profile: ${title}\n${topFunctions(names.map((name) => join(directory, name)))}`)
    .join('\n')
}

function topFunctions(paths: readonly string[]): string {
  const selfTimes = new Map<string, number>()
  for (const path of paths) addSelfTimes(asFields(JSON.parse(readFileSync(path, 'utf8'))) ?? {}, selfTimes)
  const total = [...selfTimes.values()].reduce((sum, time) => sum + time, 0)
  return [...selfTimes]
    .sort(([, a], [, b]) => b - a)
    .slice(0, TOP_FUNCTIONS)
    .map(([name, time]) => {
      const milliseconds = (time / 1000).toFixed(0).padStart(7)
      return `${milliseconds} ms ${((100 * time) / total).toFixed(1).padStart(5)}%  ${name}`
    })
    .join('\n')
}

/** Adds the microseconds of each function's samples. */
function addSelfTimes(profile: Fields, selfTimes: Map<string, number>): void {
  const names = new Map<number, string>()
  for (const node of fieldsList(profile.nodes)) names.set(Number(node.id), functionName(asFields(node.callFrame) ?? {}))
  const [samples, deltas] = [numbers(profile.samples), numbers(profile.timeDeltas)]
  for (const [index, sample] of samples.entries()) {
    const name = names.get(sample)
    if (name === undefined || NOT_FUNCTIONS.has(name)) continue
    selfTimes.set(name, (selfTimes.get(name) ?? 0) + (deltas[index] ?? 0))
  }
}

function functionName({ functionName: name, url, lineNumber }: Fields): string {
  const where = typeof url === 'string' && url !== '' ? ` ${basename(url)}:${Number(lineNumber) + 1}` : ''
  return `${name === '' ? '(anonymous)' : String(name)}${where}`
}

function fieldsList(value: unknown): Fields[] {
  return Array.isArray(value) ? value.map(asFields).filter((fields) => fields !== null) : []
}

function numbers(value: unknown): number[] {
  return Array.isArray(value) ? value.map(Number) : []
}
