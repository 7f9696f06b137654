import type { ClientKind, RunningClient } from '../clients/client.ts'
import { waitUntil } from '../lib/wait.ts'
import { addressOf, expectSameContent, type InteropCase, type Stage } from './interopCase.ts'

/** Slow enough to be caught in the middle: half of the content takes three seconds. */
const LIMIT_BYTES_PER_SECOND = 4_000_000
const WAIT_MS = 40_000

/** Of the whole content: what may be sent twice after a SIGKILL of our downloader. */
const RESENT_ALLOWED = 0.25

const OURS: ReadonlySet<string> = new Set(['lt', 'engine'])

interface Scene {
  readonly stage: Stage
  readonly seeder: ClientKind
  readonly downloader: ClientKind
}

/** One side is killed with SIGKILL at about half; the transfer then goes on to its end. */
export function interruptionCases(ours: ClientKind, others: readonly ClientKind[]): InteropCase[] {
  return others.flatMap((other) =>
    [
      { seeder: other, downloader: ours },
      { seeder: ours, downloader: other },
    ].flatMap(({ seeder, downloader }) => [
      {
        name: `interrupted: ${seeder.name} seeds, ${downloader.name} downloads and is killed`,
        needs: [seeder, downloader],
        run: (stage: Stage) => downloaderKilled({ stage, seeder, downloader }),
      },
      {
        name: `interrupted: ${seeder.name} seeds and is killed, ${downloader.name} downloads`,
        needs: [seeder, downloader],
        run: (stage: Stage) => seederKilled({ stage, seeder, downloader }),
      },
    ]),
  )
}

async function downloaderKilled(scene: Scene): Promise<string> {
  const { stage, seeder, downloader } = scene
  const transfer = new Transfer(scene)
  const [seeding, downloading] = await transfer.begin()
  const at = await aboutHalf(downloading)
  await downloading.kill()
  let serving = seeding
  let resumed: RunningClient
  if (downloader.connects) {
    resumed = await stage.start(downloader, {
      ...transfer.download,
      peers: [addressOf(seeding)],
      port: downloading.port,
    })
  } else {
    resumed = await stage.start(downloader, { ...transfer.download, peers: [], port: downloading.port })
    await seeding.stop()
    serving = await stage.start(seeder, { ...transfer.seed, peers: [addressOf(resumed)] })
  }
  await resumed.finished(WAIT_MS)
  const sent = serving === seeding ? await seeding.uploaded() : null
  await resumed.stop()
  expectSameContent(transfer.fixture, transfer.savePath, downloader)
  if (sent === null) return `at ${percent(at)}`
  const resent = Math.max(0, sent / transfer.fixture.totalSize - 1)
  const remark = `at ${percent(at)}, sent again ${percent(resent)}`
  // How much another client keeps is its own affair.
  if (OURS.has(downloader.name) && resent > RESENT_ALLOWED) throw new Error(`too much was sent twice: ${remark}`)
  return remark
}

async function seederKilled(scene: Scene): Promise<string> {
  const { stage, seeder, downloader } = scene
  const transfer = new Transfer(scene)
  const [seeding, downloading] = await transfer.begin()
  const at = await aboutHalf(downloading)
  await seeding.kill()
  let receiving = downloading
  if (seeder.connects) {
    await stage.start(seeder, { ...transfer.seed, peers: [addressOf(downloading)], port: seeding.port })
  } else {
    const again = await stage.start(seeder, { ...transfer.seed, peers: [], port: seeding.port })
    await downloading.stop()
    receiving = await stage.start(downloader, { ...transfer.download, peers: [addressOf(again)] })
  }
  await receiving.finished(WAIT_MS)
  await receiving.stop()
  expectSameContent(transfer.fixture, transfer.savePath, downloader)
  return `at ${percent(at)}`
}

/** A slow transfer of the large content. */
class Transfer {
  readonly fixture
  readonly savePath: string
  readonly seed
  readonly download

  constructor(private readonly scene: Scene) {
    const { stage } = scene
    this.fixture = stage.fixture('large')
    this.savePath = stage.subdirectory('downloaded')
    this.seed = { role: 'seed', source: this.fixture.torrent, savePath: stage.seedDirectory(this.fixture) } as const
    this.download = { role: 'download', source: this.fixture.torrent, savePath: this.savePath } as const
  }

  async begin(): Promise<readonly [seeding: RunningClient, downloading: RunningClient]> {
    const { stage, seeder, downloader } = this.scene
    const slowSeed = { ...this.seed, uploadLimit: LIMIT_BYTES_PER_SECOND }
    const slowDownload = { ...this.download, downloadLimit: LIMIT_BYTES_PER_SECOND }
    if (downloader.connects) {
      const seeding = await stage.start(seeder, { ...slowSeed, peers: [] })
      return [seeding, await stage.start(downloader, { ...slowDownload, peers: [addressOf(seeding)] })]
    }
    const downloading = await stage.start(downloader, { ...slowDownload, peers: [] })
    return [await stage.start(seeder, { ...slowSeed, peers: [addressOf(downloading)] }), downloading]
  }
}

async function aboutHalf(downloading: RunningClient): Promise<number> {
  let progress = 0
  await waitUntil(WAIT_MS, 'half of the content', async () => {
    progress = await downloading.progress()
    return progress >= 0.4
  })
  if (progress > 0.9) throw new Error(`too fast to be interrupted: ${percent(progress)}`)
  return progress
}

function percent(part: number): string {
  return `${Math.round(part * 100)}%`
}
