/**
 * Our `lt` against other people's clients on loopback. See README.md.
 *
 * Usage: tsx interop/run.ts [--list] [--jobs N] [--keep] [--api] [word...]
 * A case runs when its name contains one of the words; every case when there are none.
 * With --api our side is the engine by its API in place of the command.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { commandCases } from './cases/commands.ts'
import { makeContents } from './cases/contents.ts'
import { dhtCases } from './cases/dht.ts'
import { dhtTransferCases } from './cases/dhtTransfers.ts'
import { type InteropCase, type Requirement, Stage } from './cases/interopCase.ts'
import { interruptionCases } from './cases/interruptions.ts'
import { ltTrackerCases } from './cases/ltTracker.ts'
import { peerExchangeCases } from './cases/peerExchange.ts'
import { proxyCases } from './cases/proxies.ts'
import { resumeFileCases } from './cases/resumeFiles.ts'
import { trackerCases } from './cases/trackers.ts'
import { transferCases } from './cases/transfers.ts'
import { engine } from './clients/engine.ts'
import { libtorrent } from './clients/libtorrent.ts'
import { lt } from './clients/lt.ts'
import { transmission } from './clients/transmission.ts'
import { webtorrent } from './clients/webtorrent.ts'
import { within } from './lib/wait.ts'
import { portmapCases } from './scenarios/portmapCases.ts'

const CASE_TIMEOUT_MS = 60_000

/** Most of a case is waiting (Transmission unchokes every ten seconds), so several share the processors. */
const DEFAULT_JOBS = '4'

type Outcome = 'passed' | 'failed' | 'skipped'

const { values: options, positionals: words } = parseArgs({
  allowPositionals: true,
  options: {
    list: { type: 'boolean' },
    keep: { type: 'boolean' },
    api: { type: 'boolean' },
    jobs: { type: 'string', default: DEFAULT_JOBS },
  },
})

const ours = options.api ? engine : lt
const others = [libtorrent, transmission, webtorrent]
const cases = [
  ...transferCases(ours, others),
  ...interruptionCases(ours, others),
  ...trackerCases(ours, libtorrent),
  ...(options.api ? [] : ltTrackerCases(lt, libtorrent, transmission)),
  ...(options.api ? [] : commandCases(lt, libtorrent)),
  ...(options.api ? [] : proxyCases(lt, libtorrent)),
  ...dhtCases(),
  ...dhtTransferCases(ours, libtorrent),
  ...peerExchangeCases(ours, libtorrent),
  ...resumeFileCases(process.env.LT_COMMAND === undefined ? engine : libtorrent, libtorrent),
  ...portmapCases(),
].filter(({ name }) => words.length === 0 || words.some((word) => name.includes(word)))

if (options.list) for (const { name } of cases) console.log(name)
else process.exitCode = await runAll()

async function runAll(): Promise<number> {
  const root = mkdtempSync(join(tmpdir(), 'lt-interop-'))
  const contents = makeContents(root)
  const missing = await missingRequirements(cases.flatMap(({ needs }) => needs))
  const counts: Record<Outcome, number> = { passed: 0, failed: 0, skipped: 0 }
  const waiting = cases.map((interopCase, index) => ({ interopCase, directory: join(root, `case-${index + 1}`) }))
  const workers = Array.from({ length: Number(options.jobs) }, async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const stage = new Stage(next.directory, contents)
      counts[await runCase(next.interopCase, stage, missing)] += 1
    }
  })
  await Promise.all(workers)
  if (counts.failed > 0) console.log(`logs of failed cases: ${root}`)
  else if (!options.keep) rmSync(root, { recursive: true })
  const skipped = counts.skipped > 0 ? `, ${counts.skipped} skipped` : ''
  console.log(`${counts.passed} passed, ${counts.failed} failed${skipped}`)
  return counts.failed > 0 || counts.passed === 0 ? 1 : 0
}

async function runCase(
  { name, needs, run }: InteropCase,
  stage: Stage,
  missing: ReadonlyMap<string, string>,
): Promise<Outcome> {
  const absent = needs.map((need) => missing.get(need.name)).find((what) => what !== undefined)
  if (absent !== undefined) {
    console.log(`skip  ${name}: not installed: ${absent}`)
    return 'skipped'
  }
  const begin = performance.now()
  const seconds = () => `${((performance.now() - begin) / 1000).toFixed(1)} s`
  try {
    const remark = await within(CASE_TIMEOUT_MS, name, run(stage))
    console.log(`ok    ${name} (${seconds()}${remark === undefined ? '' : `; ${remark}`})`)
    if (!options.keep) await stage.closeAndRemove()
    return 'passed'
  } catch (error) {
    console.log(`FAIL  ${name} (${seconds()})\n      ${stage.directory}\n      ${indent(error)}`)
    return 'failed'
  } finally {
    await stage.close()
  }
}

/** Installs what can be installed; the result names what then is still missing, by requirement. */
async function missingRequirements(requirements: readonly Requirement[]): Promise<ReadonlyMap<string, string>> {
  const missing = new Map<string, string>()
  for (const requirement of new Set(requirements)) {
    if ((await requirement.missing()) === null) continue
    console.log(`installing what ${requirement.name} needs`)
    await requirement.install()
    const still = await requirement.missing()
    if (still !== null) missing.set(requirement.name, still)
  }
  return missing
}

function indent(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).replaceAll('\n', '\n      ')
}
