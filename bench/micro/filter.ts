/**
 * Loading and asking IP filters, beside libtorrent's: `npx tsx bench/micro/filter.ts [ranges]`. 300,000 ranges unless said
 * otherwise, sorted and in random order:
 *
 *   file      an eMule .dat in memory becomes a filter (libtorrent reads no files)
 *   rules     the same ranges by `addRule`, from text, until the first lookup is answered
 *   lookup    one address, from text
 *   memory    what the filter keeps; of libtorrent what its process grew by
 *
 * libtorrent is asked through its Python module: what a call that does nothing costs there is taken off.
 */
import { execFileSync } from 'node:child_process'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { PYTHON } from '../../interop/clients/libtorrent.ts'
import { v4WordToAddress } from '../../packages/engine/src/address/addressWords.ts'
import { IpFilter } from '../../packages/engine/src/filter/ipFilter.ts'
import { readIpFilterList } from '../../packages/engine/src/filter/readIpFilterList.ts'

const COUNT = Number(process.argv[2] ?? 300_000)
const REPEATS = 5

/** The same program for libtorrent; prints seconds and bytes. Ranges come as lines on stdin. */
const SCRIPT = `
import gc, json, os, sys, time
import libtorrent as lt
ranges = [line.split() for line in sys.stdin.read().splitlines()]
def rss():
    return int(open('/proc/self/statm').read().split()[1]) * os.sysconf('SC_PAGE_SIZE')
def nothing(first, last=None, flags=0):
    pass
gc.disable()
start = time.perf_counter()
for first, last in ranges: nothing(first, last, 1)
call = time.perf_counter() - start
before = rss()
start = time.perf_counter()
f = lt.ip_filter()
add = f.add_rule
for first, last in ranges: add(first, last, 1)
f.access('1.2.3.4')
rules = time.perf_counter() - start - call
memory = rss() - before
start = time.perf_counter()
access = f.access
for first, last in ranges: access(first)
lookup = time.perf_counter() - start - call
print(json.dumps({'rules': rules, 'lookup': lookup / len(ranges), 'memory': memory}))
`

type Ranges = readonly (readonly [string, string])[]

interface Figures {
  readonly rules: number
  readonly lookup: number
  readonly memory: number
}

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

function someRanges(order: 'sorted' | 'random'): Ranges {
  let state = 1
  const random = () => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0
    return state
  }
  const step = Math.floor(2 ** 32 / COUNT)
  const ranges = Array.from({ length: COUNT }, (_, i) => {
    const first = i * step + (random() % 1000)
    return [v4WordToAddress(first), v4WordToAddress(first + (random() % Math.max(1, step - 2000)))] as const
  })
  if (order === 'random') for (let i = COUNT - 1; i > 0; i--) swap(ranges, i, random() % (i + 1))
  return ranges
}

function swap<T>(list: T[], i: number, j: number): void {
  const kept = list[i]
  list[i] = list[j]
  list[j] = kept
}

function seconds(action: () => void): number {
  const start = process.hrtime.bigint()
  action()
  return Number(process.hrtime.bigint() - start) / 1e9
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1]
}

function heldBytes(): number {
  collectGarbage()
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}

function ourFile(ranges: Ranges): number {
  const text = ranges.map(([first, last]) => `${first} - ${last} , 000 , somebody`).join('\n')
  const bytes = Buffer.from(text, 'latin1')
  return seconds(() => {
    const filter = new IpFilter()
    const list = readIpFilterList(bytes, filter)
    if (list.kind !== 'list' || list.numRanges !== ranges.length) throw new Error('the list was not understood')
    filter.access('1.2.3.4')
  })
}

function ourRules(ranges: Ranges): Figures {
  const before = heldBytes()
  const filter = new IpFilter()
  const rules = seconds(() => {
    for (const [first, last] of ranges) filter.addRule(first, last, IpFilter.blocked)
    filter.access('1.2.3.4')
  })
  const memory = heldBytes() - before
  let blocked = 0
  const lookup = seconds(() => {
    for (const [first] of ranges) blocked += filter.access(first)
  })
  if (blocked !== ranges.length) throw new Error(`${blocked} addresses are blocked`)
  return { rules, lookup: lookup / ranges.length, memory }
}

function theirRules(ranges: Ranges): Figures | null {
  try {
    const input = ranges.map(([first, last]) => `${first} ${last}`).join('\n')
    const options = { input, encoding: 'utf8', stdio: 'pipe' } as const
    return JSON.parse(execFileSync(PYTHON, ['-c', SCRIPT], options)) as Figures
  } catch {
    return null
  }
}

for (const order of ['sorted', 'random'] as const) {
  const ranges = someRanges(order)
  const ours: Figures[] = []
  const theirs: Figures[] = []
  const files: number[] = []
  for (let i = 0; i < REPEATS; i++) {
    files.push(ourFile(ranges))
    ours.push(ourRules(ranges))
    const other = theirRules(ranges)
    if (other !== null) theirs.push(other)
  }
  const of = (list: readonly Figures[], field: keyof Figures) => median(list.map((figures) => figures[field]))
  console.log(`${COUNT.toLocaleString('en')} ranges, ${order}`)
  console.log(`  file    ${(median(files) * 1000).toFixed(0)} ms`)
  const line = (name: string, field: keyof Figures, scale: number, unit: string) => {
    const text = `  ${name.padEnd(7)} ${(of(ours, field) * scale).toFixed(2)} ${unit}`
    if (theirs.length === 0) return console.log(`${text}; no libtorrent here`)
    const ratio = of(theirs, field) / of(ours, field)
    console.log(`${text}; libtorrent ${(of(theirs, field) * scale).toFixed(2)} ${unit}, ${ratio.toFixed(1)} times ours`)
  }
  line('rules', 'rules', 1000, 'ms')
  line('lookup', 'lookup', 1e9, 'ns')
  line('memory', 'memory', 1e-6, 'MB')
}
