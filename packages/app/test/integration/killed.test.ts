import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { LibtorrentError, readResumeData } from 'libtorrent-ts'
import { expect, test } from 'vitest'
import { Lt } from './lt.ts'
import {
  Bottleneck,
  type Content,
  filesIn,
  makeContent,
  piecesOnDisk,
  randomNumbers,
  sameContent,
  seedContent,
  temporaryDirectory,
} from './scene.ts'

const SIZE = 4 * 1024 * 1024
const PIECE_SIZE = 32 * 1024
const SEEDS = [1, 2, 3, 4]

/** Kills a download at two random moments and lets it continue to its end. */
async function killTwice(seed: number, content: Content, peer: string): Promise<void> {
  const random = randomNumbers(seed)
  const directory = temporaryDirectory()
  const resumeFile = join(directory, `.${content.info.infoHash}.resume`)
  const bottleneck = await Bottleneck.open(peer, 0)
  const download = () =>
    new Lt(
      'download',
      content.torrent,
      '-o',
      directory,
      '--peer',
      bottleneck.address,
      '--port',
      '0',
      '--no-seed',
      '--json',
    )
  let onDisk = new Set<number>()
  const expectHonest = (lt: Lt) => {
    const claimed = lt.lines.find((line) => line.type === 'continuing')?.pieces ?? 0
    expect(claimed, `pieces it went on with, seed ${seed}`).toBeLessThanOrEqual(onDisk.size)
  }

  for (const isInterruptedFirst of [false, true]) {
    bottleneck.limit(1 + random(SIZE / 2))
    const lt = download()
    await Promise.race([bottleneck.exhausted, lt.exited])
    // The second time it dies while it saves what it has, or just after.
    if (isInterruptedFirst) lt.kill('SIGINT')
    await sleep(random(30))
    lt.kill('SIGKILL')
    await lt.exited

    expectHonest(lt)
    onDisk = piecesOnDisk(content, directory)
    if (!existsSync(resumeFile)) continue
    const saved = readResumeData(readFileSync(resumeFile))
    if (saved instanceof LibtorrentError) throw saved
    const claimed = Array.from({ length: saved.have?.size ?? 0 }, (_, piece) => piece).filter((i) => saved.have?.get(i))
    expect(
      claimed.filter((piece) => !onDisk.has(piece)),
      `claimed and not on disk, seed ${seed}`,
    ).toEqual([])
  }

  bottleneck.open()
  const last = download()
  expect(await last.exited, `seed ${seed}: ${last.stderr}`).toBe(0)
  expectHonest(last)
  expect(filesIn(directory)).toEqual(['large'])
  expect(sameContent(content, directory, ['large'])).toBe(true)
}

test('killed at any moment, a download continues, and takes no piece for had that is not on disk', async () => {
  const content = await makeContent({ large: SIZE }, PIECE_SIZE)
  const peer = await seedContent(content)
  await Promise.all(SEEDS.map((seed) => killTwice(seed, content, peer)))
})
