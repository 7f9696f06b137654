import { expect } from 'vitest'
import type { SimHost } from '../../sim/simHost.ts'
import type { SimWorld } from '../../sim/simWorld.ts'
import { TestTorrent } from '../../sim/testTorrent.ts'
import type { TorrentHandle } from '../../src/api/torrentHandle.ts'
import { LibtorrentError } from '../../src/errors/libtorrentError.ts'
import { readResumeData } from '../../src/resume/readResumeData.ts'
import { emptyResumeState, type ResumeState } from '../../src/resume/resumeState.ts'
import { writeResumeData } from '../../src/resume/writeResumeData.ts'
import { SaveResumeFlags } from '../../src/torrent/diskOperations.ts'
import { equalBytes } from '../../src/util/bytes.ts'
import { SAVE, SimClient, seedOf } from './client.ts'
import { scenario } from './scenario.ts'

const PIECE = 32 * 1024

const threeFiles = () =>
  new TestTorrent({
    files: [
      { path: 'one', size: 4 * PIECE + 5 },
      { path: 'dir/two', size: 4 * PIECE },
      { path: 'dir/three', size: 4 * PIECE },
    ],
  })

function pathsOf(torrent: TorrentHandle): string[] {
  return Array.from(torrent.torrentFile()?.files() ?? [], ({ path }) => path)
}

async function rejection(promise: Promise<unknown>): Promise<LibtorrentError | null> {
  try {
    await promise
    return null
  } catch (error) {
    return error as LibtorrentError
  }
}

function stateOf(resumeData: Uint8Array): ResumeState {
  const state = readResumeData(resumeData)
  if (state instanceof LibtorrentError) throw state
  return state
}

/** Files by path, whether they have the content of a file of the torrent. */
function isAt(world: SimWorld, host: SimHost, content: TestTorrent, file: number, path: string): boolean {
  const found = world.filesOf(host).readFile(path)
  return found !== null && equalBytes(found, content.fileContent(content.files[file]))
}

// --- what is seen of a rename ----------------------------------------------------------------------------------------

scenario(
  'a renamed file has its new name in the torrent file, and nothing else about the torrent changes',
  async (world) => {
    const content = threeFiles()
    const ti = content.info()
    const client = new SimClient(world, 'client', content, { add: { ti } })
    world.run({ seconds: 1 })
    const before = client.torrent.torrentFile()?.metadata().slice()
    await world.settle(client.torrent.renameFile(1, 'content/dir/2'))
    await world.settle(client.torrent.renameFile(2, 'elsewhere/3'))
    const renamed = client.torrent.torrentFile()
    expect(pathsOf(client.torrent)).toEqual(['content/one', 'content/dir/2', 'elsewhere/3'])
    expect(Array.from(renamed?.origFiles() ?? [], ({ path }) => path)).toEqual(content.files.map(({ path }) => path))
    expect(renamed?.infoHash.equals(content.infoHash)).toBe(true)
    expect(renamed?.metadata()).toEqual(before)
    expect(renamed?.name).toBe('content')
    // what the torrent was added with may be used for others
    expect(Array.from(ti.files(), ({ path }) => path)).toEqual(content.files.map(({ path }) => path))
    const seed = seedOf(world, content)
    client.torrent.connectPeer(seed.endpoint)
    world.runUntil(() => client.torrent.isSeed, { minutes: 1 })
    expect(isAt(world, client.host, content, 2, `${SAVE}/elsewhere/3`)).toBe(true)
    // metadata is still given as it was found
    const magnet = new SimClient(world, 'magnet', content, { magnet: true, add: { peers: [client.endpoint] } })
    world.runUntil(() => magnet.torrent.isSeed, { minutes: 1 })
    expect(pathsOf(magnet.torrent)).toEqual(content.files.map(({ path }) => path))
  },
)

scenario('a rename that fails on the disk changes nothing, and the name stays free', async (world) => {
  const content = threeFiles()
  const client = seedOf(world, content)
  world.filesOf(client.host).fail({ operation: 'rename', times: 1, code: 'EACCES' })
  const error = await world.settle(rejection(client.torrent.renameFile(0, 'content/uno')))
  expect(error?.code).toBe('EACCES')
  expect(client.alerts('fileRenameFailed')).toHaveLength(1)
  expect(pathsOf(client.torrent)).toEqual(content.files.map(({ path }) => path))
  await world.settle(client.torrent.renameFile(1, 'content/uno'))
  expect(pathsOf(client.torrent)).toEqual(['content/one', 'content/uno', 'content/dir/three'])
})

// --- names that are refused ------------------------------------------------------------------------------------------

scenario(
  'a name that leads nowhere, out of the save path, or to another file of the torrent is refused',
  async (world) => {
    const content = threeFiles()
    const client = seedOf(world, content)
    const before = world.filesOf(client.host).paths()
    const names = ['', '.', '..', '../x', 'a/../../x', '/', '/a/../b', 'a//b', 'a/', 'a\\b', 'a\0b', 'n'.repeat(256)]
    const taken = [
      'content/dir/two',
      'content/DIR/Two',
      'content/dir',
      'content',
      'content/dir/two/x',
      'CONTENT/dir/two.',
    ]
    for (const name of [...names, ...taken, `${SAVE}/content/dir/two`, `${SAVE}/content/dir`]) {
      const error = await world.settle(rejection(client.torrent.renameFile(0, name)))
      expect([error?.code, error?.path]).toEqual(['torrentInvalidName', name])
    }
    for (const index of [-1, 3, 0.5, Number.NaN]) {
      expect((await world.settle(rejection(client.torrent.renameFile(index, 'x'))))?.code).toBe('invalidEntryType')
    }
    expect(client.alerts('fileRenameFailed')).toHaveLength(names.length + taken.length + 2 + 4)
    expect(world.filesOf(client.host).paths()).toEqual(before)
  },
)

scenario('two files renamed to one path at the same moment: the first gets it', async (world) => {
  const content = threeFiles()
  const client = seedOf(world, content)
  const [first, second] = await world.settle(
    Promise.all([
      rejection(client.torrent.renameFile(0, 'content/Same')),
      rejection(client.torrent.renameFile(1, 'content/same')),
    ]),
  )
  expect([first, second?.code]).toEqual([null, 'torrentInvalidName'])
  expect(pathsOf(client.torrent)).toEqual(['content/Same', 'content/dir/two', 'content/dir/three'])
  // what was given up can be taken
  await world.settle(client.torrent.renameFile(1, 'content/one'))
  await world.settle(client.torrent.renameFile(0, 'content/SAME'))
  expect(pathsOf(client.torrent)).toEqual(['content/SAME', 'content/one', 'content/dir/three'])
})

// --- absolute paths --------------------------------------------------------------------------------------------------

scenario('a file given an absolute path lies there, and does not move with the torrent', async (world) => {
  const content = threeFiles()
  const seed = seedOf(world, content)
  const client = new SimClient(world, 'client', content, { add: { peers: [seed.endpoint] } })
  await world.settle(client.torrent.renameFile(2, '/media/three'))
  expect(pathsOf(client.torrent)[2]).toBe('/media/three')
  world.runUntil(() => client.torrent.isSeed, { minutes: 1 })
  await world.settle(client.torrent.moveStorage('/elsewhere'))
  expect(world.filesOf(client.host).paths()).toEqual([
    '/elsewhere/content/dir/two',
    '/elsewhere/content/one',
    '/media/three',
  ])
  expect(isAt(world, client.host, content, 2, '/media/three')).toBe(true)
  await world.settle(client.torrent.renameFile(2, 'content/back'))
  expect(isAt(world, client.host, content, 2, '/elsewhere/content/back')).toBe(true)
})

scenario('absolute paths in resume data count only when its paths are trusted', async (world) => {
  const content = threeFiles()
  const host = world.host('client')
  content.putOn(world.filesOf(host), SAVE)
  const first = new SimClient(world, host, content)
  world.runUntil(() => first.torrent.isSeed, { minutes: 1 })
  await world.settle(first.torrent.renameFile(0, '/media/one'))
  const resumeData = await world.settle(first.torrent.saveResumeData())
  await world.settle(first.session.abort())

  const wary = new SimClient(world, host, content, { add: { resumeData } })
  world.run({ seconds: 5 })
  expect(pathsOf(wary.torrent)[0]).toBe('content/one')
  expect(wary.alerts('fastresumeRejected')).toHaveLength(1)
  await world.settle(wary.session.abort())

  const trusting = new SimClient(world, host, content, { add: { resumeData, useResumeSavePath: true } })
  world.run({ seconds: 5 })
  expect(pathsOf(trusting.torrent)[0]).toBe('/media/one')
  expect([trusting.torrent.isSeed, trusting.alerts('fastresumeRejected')]).toEqual([true, []])
})

// --- resume data -----------------------------------------------------------------------------------------------------

scenario('names come back with resume data: seen in the torrent file, and saved again', async (world) => {
  const content = threeFiles()
  const host = world.host('client')
  content.putOn(world.filesOf(host), SAVE)
  const first = new SimClient(world, host, content)
  world.runUntil(() => first.torrent.isSeed, { minutes: 1 })
  // a way to exchange two names
  await world.settle(first.torrent.renameFile(1, 'tmp'))
  await world.settle(first.torrent.renameFile(2, 'content/dir/two'))
  await world.settle(first.torrent.renameFile(1, 'content/dir/three'))
  const flags = SaveResumeFlags.flushDiskCache | SaveResumeFlags.saveInfoDict
  let resumeData = await world.settle(first.torrent.saveResumeData(flags))
  expect(stateOf(resumeData).mappedFiles).toEqual(['', 'content/dir/three', 'content/dir/two'])
  await world.settle(first.session.abort())
  for (const magnet of [false, true]) {
    const again = new SimClient(world, host, content, { magnet, add: { resumeData } })
    world.run({ seconds: 5 })
    expect(again.torrent.isSeed).toBe(true)
    expect(pathsOf(again.torrent)).toEqual(['content/one', 'content/dir/three', 'content/dir/two'])
    resumeData = await world.settle(again.torrent.saveResumeData(flags))
    expect(stateOf(resumeData).mappedFiles).toEqual(['', 'content/dir/three', 'content/dir/two'])
    await world.settle(again.session.abort())
  }
})

scenario('names wait for the metadata, and are not lost if it does not come', async (world) => {
  const content = threeFiles()
  const host = world.host('client')
  const mapped = (mappedFiles: string[]) =>
    writeResumeData({ ...stateOf(emptyResume(content)), mappedFiles, savePath: SAVE })
  const first = new SimClient(world, host, content, { magnet: true, add: { resumeData: mapped(['', 'x/2']) } })
  world.run({ seconds: 1 })
  const resumeData = await world.settle(first.torrent.saveResumeData())
  expect(stateOf(resumeData).mappedFiles).toEqual(['', 'x/2'])
  await world.settle(first.session.abort())
  const second = new SimClient(world, host, content, { magnet: true, add: { resumeData } })
  const seed = seedOf(world, content)
  second.torrent.connectPeer(seed.endpoint)
  world.runUntil(() => second.torrent.isSeed, { minutes: 1 })
  expect(pathsOf(second.torrent)).toEqual(['content/one', 'x/2', 'content/dir/three'])
  expect(isAt(world, host, content, 1, `${SAVE}/x/2`)).toBe(true)
})

scenario(
  'hostile names in resume data leave every file inside the save path and on a path of its own',
  async (world) => {
    const content = threeFiles()
    const own = content.files.map(({ path }) => path)
    const cases: [mapped: string[], expected: string[]][] = [
      [['../x', '/etc/passwd', 'a/../../b'], own],
      [['', '', '', 'more', 'than', 'files'], own],
      [['same', 'SAME', ''], own],
      [['content/dir/two', '', ''], own],
      [['content/dir', '', ''], own],
      [['x', '', 'x/y'], own],
      [
        ['content/dir/two', 'content/one', ''],
        ['content/dir/two', 'content/one', own[2]],
      ],
      // taken back in turn: the second meets the first's own name once that has lost its new one
      [['y', 'content/one', 'y'], own],
      [['\0', 'a\\b', 'n'.repeat(300)], own],
      [
        ['good', '../bad', ''],
        ['good', own[1], own[2]],
      ],
    ]
    for (const [mappedFiles, expected] of cases) {
      const resumeData = writeResumeData({ ...stateOf(emptyResume(content)), mappedFiles })
      const client = new SimClient(world, `client ${mappedFiles.join()}`.slice(0, 40), content, { add: { resumeData } })
      world.run({ seconds: 1 })
      expect(pathsOf(client.torrent)).toEqual(expected)
      await world.settle(client.session.abort())
    }
  },
)

function emptyResume(content: TestTorrent): Uint8Array {
  return writeResumeData({ ...emptyResumeState(content.infoHash), name: 'content' })
}
