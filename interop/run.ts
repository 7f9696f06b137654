/**
 * Our `lt` against other people's clients on loopback. See README.md.
 *
 * Usage: tsx interop/run.ts [--list] [--jobs N] [--keep] [--api] [word...]
 * A case runs when its name contains one of the words; every case when there are none.
 * With --api our side is the engine by its API in place of the command.
 * A case that fails is run once more, alone, at the end: other people's clients have their own bad moments, above all on
 * a busy machine. Both outcomes are printed; the second one counts.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { commandCases } from './cases/commands.ts'
import { makeContents } from './cases/contents.ts'
import { dhtCases } from './cases/dht.ts'
import { dhtTransferCases } from './cases/dhtTransfers.ts'
import { encryptionCases } from './cases/encryption.ts'
import { filterCases } from './cases/filters.ts'
import { i2pCases } from './cases/i2p.ts'
import { type InteropCase, type Requirement, Stage } from './cases/interopCase.ts'
import { interruptionCases } from './cases/interruptions.ts'
import { ltTrackerCases } from './cases/ltTracker.ts'
import { aria2TrackerCases, moreClientCases } from './cases/moreClients.ts'
import { peerExchangeCases } from './cases/peerExchange.ts'
import { proxyCases } from './cases/proxies.ts'
import { rateLimitCases } from './cases/rateLimits.ts'
import { resumeFileCases } from './cases/resumeFiles.ts'
import { sslTorrentCases } from './cases/sslTorrents.ts'
import { trackerCases } from './cases/trackers.ts'
import { transferCases } from './cases/transfers.ts'
import { utpCases } from './cases/utp.ts'
import { ourWebTrackerCases, webRtcCases } from './cases/webRtc.ts'
import { webSeedCases } from './cases/webSeeds.ts'
import { aria2 } from './clients/aria2.ts'
import { browser } from './clients/browser.ts'
import { engine } from './clients/engine.ts'
import { libtorrent } from './clients/libtorrent.ts'
import { lt } from './clients/lt.ts'
import { qbittorrent } from './clients/qbittorrent.ts'
import { rtorrent } from './clients/rtorrent.ts'
import { transmission } from './clients/transmission.ts'
import { webtorrent, webtorrentRtc } from './clients/webtorrent.ts'
import { within } from './lib/wait.ts'
import { portmapCases } from './scenarios/portmapCases.ts'

const CASE_TIMEOUT_MS = 60_000

/** Most of a case is waiting (Transmission unchokes every ten seconds), so several share the processors. */
const DEFAULT_JOBS = '4'

type Outcome = 'passed' | 'failed' | 'skipped'

interface WaitingCase {
  readonly interopCase: InteropCase
  readonly directory: string
}

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
const others = [libtorrent, webtorrent, transmission]
const cases = [
  ...(options.api ? [] : i2pCases(lt)),
  // Those with Transmission wait for a minute: they come first, beside the others.
  ...dhtTransferCases(ours, [...others].reverse()),
  ...transferCases(ours, others),
  ...webRtcCases(ours, [webtorrentRtc, browser]),
  ...interruptionCases(ours, others),
  ...moreClientCases(ours, aria2, rtorrent, qbittorrent),
  ...(options.api ? [] : aria2TrackerCases(lt, aria2)),
  ...rateLimitCases(ours, libtorrent),
  ...trackerCases(ours, libtorrent),
  ...(options.api ? [] : ltTrackerCases(lt, libtorrent, transmission)),
  ...(options.api ? [] : ourWebTrackerCases(lt, webtorrentRtc, browser)),
  ...(options.api ? [] : commandCases(lt, libtorrent)),
  ...encryptionCases(ours, libtorrent, transmission),
  ...(options.api ? [] : proxyCases(lt, libtorrent)),
  ...dhtCases(),
  ...peerExchangeCases(ours, libtorrent),
  ...utpCases(ours, libtorrent, transmission),
  ...(options.api ? [] : filterCases(lt, libtorrent)),
  ...sslTorrentCases(ours, libtorrent),
  ...resumeFileCases(process.env.LT_COMMAND === undefined ? engine : libtorrent, libtorrent),
  ...webSeedCases([ours, libtorrent]),
  ...portmapCases(),
].filter(({ name }) => words.length === 0 || words.some((word) => name.includes(word)))

if (options.list) for (const { name } of cases) console.log(name)
else process.exitCode = await runAll()

async function runAll(): Promise<number> {
  const root = mkdtempSync(join(tmpdir(), 'lt-interop-'))
  const contents = makeContents(root)
  const missing = await missingRequirements(cases.flatMap(({ needs }) => needs))
  const counts: Record<Outcome, number> = { passed: 0, failed: 0, skipped: 0 }
  const failed: WaitingCase[] = []
  const waiting = cases.map((interopCase, index) => ({ interopCase, directory: join(root, `case-${index + 1}`) }))
  const workers = Array.from({ length: Number(options.jobs) }, async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const outcome = await runCase(next.interopCase, new Stage(next.directory, contents), missing)
      if (outcome === 'failed') failed.push(next)
      else counts[outcome] += 1
    }
  })
  await Promise.all(workers)
  for (const { interopCase, directory } of failed) {
    counts[await runCase(interopCase, new Stage(`${directory}-again`, contents), missing)] += 1
  }
  const again = failed.length > 0 ? `, ${failed.length} run twice` : ''
  if (counts.failed > 0) console.log(`logs of failed cases: ${root}`)
  else if (!options.keep) rmSync(root, { recursive: true })
  const skipped = counts.skipped > 0 ? `, ${counts.skipped} skipped` : ''
  console.log(`${counts.passed} passed, ${counts.failed} failed${skipped}${again}`)
  return counts.failed > 0 || counts.passed === 0 ? 1 : 0
}

async function runCase(
  { name, needs, timeoutMs = CASE_TIMEOUT_MS, run }: InteropCase,
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
    const remark = await within(timeoutMs, name, run(stage))
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
