import { describe, expect, test } from 'vitest'
import { bencode } from '../../../src/bencode/bencode.ts'
import type { Entry } from '../../../src/bencode/entry.ts'
import { LibtorrentError } from '../../../src/errors/libtorrentError.ts'
import { readResumeData } from '../../../src/resume/readResumeData.ts'
import type { ResumeState } from '../../../src/resume/resumeState.ts'
import { fromLatin1 } from '../../../src/util/bytes.ts'
import { cpuTime } from '../../cpuTime.ts'

/** Generous for a busy machine, and far below what anything quadratic would take. */
const BOUNDED_MS = 5_000
const MANY = 100_000

function read(bytes: Uint8Array): ResumeState | LibtorrentError {
  const start = cpuTime()
  const result = readResumeData(bytes)
  expect(cpuTime() - start).toBeLessThan(BOUNDED_MS)
  return result
}

function file(more: Record<string, Entry>): Uint8Array {
  return bencode({
    'file-format': 'libtorrent resume file',
    'file-version': 1,
    'info-hash': new Uint8Array(20).fill(7),
    ...more,
  })
}

function state(more: Record<string, Entry>): ResumeState {
  const result = read(file(more))
  if (result instanceof LibtorrentError) throw result
  return result
}

const many = <T>(make: (i: number) => T): T[] => Array.from({ length: MANY }, (_, i) => make(i))

// Hostile inputs, lines 1 to 5: resume data may come from anywhere.
describe('resume data made to break the decoder', () => {
  const head = 'd11:file-format22:libtorrent resume file9:info-hash20:aaaaaaaaaaaaaaaaaaaa'

  test.each([
    ['a million lists', 'l'.repeat(1_000_000)],
    ['a million dictionaries', 'd1:a'.repeat(1_000_000)],
    ['a million lists inside a key nobody reads', `${head}1:x${'l'.repeat(1_000_000)}`],
    ['lists as the names of files', `${head}12:mapped_files${'l'.repeat(1_000_000)}`],
    ['a length that lies', `${head}5:peers99999999999:x`],
    ['a negative length', `${head}5:peers-1:x`],
    ['a number without end', `${head}14:total_uploadedi${'9'.repeat(1_000_000)}ee`],
    ['more values than are decoded', `${head}8:trackersl${'le'.repeat(3_100_000)}ee`],
  ])('%s are an error', (_, text) => {
    expect(read(fromLatin1(text))).toMatchObject({ code: 'parseFailed' })
  })

  test('keys that name prototypes pollute nothing', () => {
    const evil = { polluted: 1 }
    const more = new Map<string, Entry>([
      ['__proto__', evil],
      ['constructor', evil],
      ['hasOwnProperty', 1],
    ])
    const bytes = bencode(new Map([...more, ...Object.entries({ 'file-format': 'libtorrent resume file' })]))
    expect(read(bytes)).toMatchObject({ code: 'missingInfoHash' })
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined()
  })

  test('numbers of every size become counts and times that make sense', () => {
    const huge = 2n ** 63n - 1n
    for (const value of [-1, huge, -huge]) {
      const { totalUploaded, addedTime, maxConnections, numComplete } = state({
        total_uploaded: value,
        added_time: value,
        max_connections: value,
        num_complete: value,
      })
      for (const number of [totalUploaded, addedTime]) {
        expect(Number.isSafeInteger(number) && number >= 0).toBe(true)
      }
      for (const number of [maxConnections, numComplete]) expect(number).toBeGreaterThanOrEqual(-1)
    }
  })
})

// Line 11.
describe('resume data with lists without end', () => {
  test('of trackers and seeds has a thousand of each', () => {
    const urls = many((i) => `http://h/${i}`)
    const { trackers, urlSeeds, httpSeeds } = state({
      trackers: [urls.slice(0, 10), urls, ...urls.map((url) => [url])],
      'url-list': urls,
      httpseeds: urls,
    })
    expect(trackers?.flat()).toHaveLength(1000)
    expect(trackers?.[0]).toHaveLength(10)
    expect([urlSeeds?.length, httpSeeds?.length]).toEqual([1000, 1000])
  })

  test('of peers has as many as a peer list holds', () => {
    const peers = many((i) => ({ ip: `1.${i >> 16}.${(i >> 8) & 255}.${i & 255}`, port: 1 }))
    const compact = new Uint8Array(6 * MANY).fill(1)
    expect(state({ peers }).peers.length).toBeLessThanOrEqual(4000)
    expect(state({ peers: compact, peers6: new Uint8Array(18 * MANY).fill(1) }).peers.length).toBeLessThanOrEqual(8000)
    expect(state({ banned_peers: compact }).bannedPeers.length).toBeLessThanOrEqual(4000)
  })

  test('of the wrong types says nothing', () => {
    for (const junk of [1, 'x', [1], [[1]], [{}], { a: 1 }, [[[]]]] as Entry[]) {
      const { trackers, peers, bannedPeers, unfinished } = state({
        trackers: junk,
        peers: junk,
        banned_peers: junk,
        unfinished: junk,
        mapped_files: junk,
      })
      expect([trackers ?? [], peers, bannedPeers, unfinished]).toEqual([[], [], [], []])
    }
  })
})
