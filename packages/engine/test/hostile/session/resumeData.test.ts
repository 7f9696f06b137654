import { expect } from 'vitest'
import { TestTorrent } from '../../../sim/testTorrent.ts'
import { emptyResumeState, type ResumeState } from '../../../src/resume/resumeState.ts'
import { writeResumeData } from '../../../src/resume/writeResumeData.ts'
import { Bitfield } from '../../../src/util/bitfield.ts'
import { equalBytes } from '../../../src/util/bytes.ts'
import { cpuTime } from '../../cpuTime.ts'
import { SAVE, SimClient } from '../../sim/client.ts'
import { scenario } from '../../sim/scenario.ts'

// Hostile inputs, lines 11 and 55: resume data from anywhere, given to a session.

const BOUNDED_MS = 5_000
const MANY = 100_000
const content = new TestTorrent({ size: 20 * 32 * 1024 })

const many = <T>(make: (i: number) => T): T[] => Array.from({ length: MANY }, (_, i) => make(i))

const cases: Readonly<Record<string, Partial<ResumeState>>> = {
  'a hundred thousand trackers in as many tiers': { trackers: many((i) => [`udp://h${i}.example:80`]) },
  'a hundred thousand trackers in one tier': { trackers: [many((i) => `http://h${i}.example/announce`)] },
  'trackers that are none': { trackers: [['', 'nonsense', 'file:///etc/passwd', 'http://[zz]/', '\u0000']] },
  'a hundred thousand peers': {
    peers: many((i) => ({ address: `9.${(i >> 8) & 255}.${i & 255}.1`, port: 1 + (i >> 16) })),
  },
  'a hundred thousand bans': {
    bannedPeers: many((i) => ({ address: `8.${(i >> 8) & 255}.${i & 255}.1`, port: 1 + (i >> 16) })),
  },
  'a hundred thousand names': { mappedFiles: many((i) => `n${i}`) },
  'priorities for files and pieces that are not there': {
    filePriorities: many(() => 0),
    piecePriorities: new Uint8Array(MANY).fill(1),
  },
  'every piece, of which none is on disk': { have: new Bitfield(20, true), blocksPerPiece: 2 },
  'more pieces than there are': { have: new Bitfield(MANY, true), blocksPerPiece: 2 },
  'blocks of pieces that are not there': {
    have: new Bitfield(20),
    unfinished: many((piece) => ({ piece: piece + 15, blocks: new Bitfield(64, true) })),
  },
  'the longest times and the largest sums': {
    totalUploaded: 2 ** 53 - 1,
    totalDownloaded: 2 ** 53 - 1,
    activeTime: 2 ** 53 - 1,
    addedTime: 2 ** 53 - 1,
    completedTime: 2 ** 53 - 1,
    maxConnections: 2 ** 53 - 1,
    maxUploads: 2 ** 53 - 1,
  },
}

for (const [what, state] of Object.entries(cases)) {
  scenario(
    `resume data with ${what} is borne, and the download completes`,
    (world) => {
      const resumeData = writeResumeData({ ...emptyResumeState(content.infoHash), ...state })
      const before = process.memoryUsage().heapUsed
      const begin = cpuTime()
      const client = new SimClient(world, 'client', content, { add: { resumeData } })
      world.run({ seconds: 10 })
      expect(cpuTime() - begin).toBeLessThan(BOUNDED_MS)
      expect(process.memoryUsage().heapUsed - before).toBeLessThan(256 * 1024 * 1024)
      expect(client.torrent.trackers().length).toBeLessThanOrEqual(1000)
      expect(client.torrent.status().listPeers).toBeLessThanOrEqual(6000)
      expect(client.torrent.status().numPieces).toBe(0)
      client.torrent.prioritizeFiles([4])
      client.torrent.connectPeer(world.peer('seed', { torrent: content, has: 'all', serves: true }).listen())
      world.runUntil(() => client.torrent.isSeed, { minutes: 2 })
      const files = world.filesOf(client.host)
      const [file] = client.torrent.torrentFile()?.files() ?? []
      expect(files.paths()).toEqual([`${SAVE}/${file.path}`])
      expect(equalBytes(files.readFile(`${SAVE}/${file.path}`) ?? new Uint8Array(), content.content)).toBe(true)
    },
    { seeds: 1 },
  )
}
