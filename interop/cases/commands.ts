import { openSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import type { ClientKind } from '../clients/client.ts'
import { runLt } from '../clients/lt.ts'
import { contentPath } from '../lib/torrentFixture.ts'
import { addressOf, expectSameContent, type InteropCase, type Stage } from './interopCase.ts'

const WAIT_MS = 20_000

/** What the other subcommands of ours say or write, judged by another client. */
export function commandCases(ours: ClientKind, other: ClientKind): InteropCase[] {
  return [
    {
      name: `command: a torrent of lt create is what ${other.name} seeds and ${ours.name} downloads`,
      needs: [ours, other],
      run: (stage) => createAndSeed(stage, ours, other),
    },
    {
      name: `command: ${other.name} downloads from the link of lt magnet`,
      needs: [ours, other],
      run: (stage) => downloadFromMagnet(stage, ours, other),
    },
    { name: 'command: lt verify tells whole content from damaged', needs: [ours], run: verify },
  ]
}

async function createAndSeed(stage: Stage, ours: ClientKind, other: ClientKind): Promise<undefined> {
  const fixture = stage.fixture('many')
  const directory = stage.seedDirectory(fixture)
  const torrent = join(stage.directory, 'created.torrent')
  const path = join(directory, fixture.name)
  await runLt(['create', path, '-o', torrent, '--piece-size', '32768'], stage.directory)
  const seeding = await stage.start(other, { role: 'seed', source: torrent, savePath: directory, peers: [] })
  const savePath = stage.subdirectory('downloaded')
  const peers = [addressOf(seeding)]
  const downloading = await stage.start(ours, { role: 'download', source: torrent, savePath, peers })
  await downloading.finished(WAIT_MS)
  expectSameContent(fixture, savePath, ours)
  return undefined
}

async function downloadFromMagnet(stage: Stage, ours: ClientKind, other: ClientKind): Promise<undefined> {
  const fixture = stage.fixture('single')
  const link = (await runLt(['magnet', fixture.torrent], stage.directory)).trim()
  if (!link.includes(`urn:btih:${fixture.infoHash}`)) throw new Error(`another info-hash in ${link}`)
  const seed = { role: 'seed', source: fixture.torrent, savePath: stage.seedDirectory(fixture), peers: [] } as const
  const seeding = await stage.start(ours, seed)
  const savePath = stage.subdirectory('downloaded')
  const downloading = await stage.start(other, {
    role: 'download',
    source: link,
    savePath,
    peers: [addressOf(seeding)],
  })
  await downloading.finished(WAIT_MS)
  expectSameContent(fixture, savePath, other)
  return undefined
}

async function verify(stage: Stage): Promise<undefined> {
  const fixture = stage.fixture('many')
  const directory = stage.seedDirectory(fixture)
  const args = ['verify', fixture.torrent, '--output', directory]
  await runLt(args, stage.directory)
  const victim = fixture.files.find((file) => file.size > 0)
  if (victim === undefined) throw new Error('no file to damage')
  writeSync(openSync(join(directory, contentPath(fixture, victim)), 'r+'), Buffer.from([0xff]), 0, 1, 0)
  const accepted = await runLt(args, stage.directory).then(
    () => true,
    () => false,
  )
  if (accepted) throw new Error('damaged content was called whole')
  return undefined
}
