import { describe, expect, test } from 'vitest'
import { SeededRandom } from '../../../sim/seededRandom.ts'
import { SimFileSystem } from '../../../sim/simFileSystem.ts'
import { VirtualTime } from '../../../sim/virtualTime.ts'
import { LibtorrentError } from '../../../src/errors/libtorrentError.ts'

function fileSystem(capacity?: number, seed = 1) {
  const time = new VirtualTime()
  return { time, files: new SimFileSystem(time, new SeededRandom(seed), capacity) }
}

function codeOf(act: () => void): string {
  try {
    act()
  } catch (error) {
    if (error instanceof LibtorrentError) return error.code
    throw error
  }
  return 'ok'
}

const bytes = (value: number, length: number) => new Uint8Array(length).fill(value)

describe('files in the simulator', () => {
  test('are sparse: what was not written reads as zeros and takes no room', () => {
    const { files } = fileSystem()
    files.write('/d/f', 5_000_000_000, bytes(7, 10))
    expect(files.stat('/d/f')?.size).toBe(5_000_000_010)
    expect(files.usedBytes).toBe(16_384)
    const out = bytes(9, 20)
    expect(files.read('/d/f', 4_999_999_995, out)).toBe(15)
    expect([...out]).toEqual([...bytes(0, 5), ...bytes(7, 10), ...bytes(9, 5)])
  })

  test('a missing file is ENOENT, for reading, renaming and removing', () => {
    const { files } = fileSystem()
    expect(codeOf(() => files.read('/x', 0, bytes(0, 1)))).toBe('ENOENT')
    expect(codeOf(() => files.rename('/x', '/y'))).toBe('ENOENT')
    expect(codeOf(() => files.remove('/x'))).toBe('ENOENT')
    expect(files.stat('/x')).toBeNull()
  })

  test('a full disk refuses what needs more room, and takes it again when some is freed', () => {
    const { files } = fileSystem(32_768)
    files.write('/a', 0, bytes(1, 16_384))
    files.write('/b', 0, bytes(1, 16_384))
    expect(codeOf(() => files.write('/b', 16_384, bytes(1, 1)))).toBe('ENOSPC')
    expect(codeOf(() => files.write('/b', 0, bytes(2, 100)))).toBe('ok')
    files.remove('/a')
    expect(codeOf(() => files.write('/b', 16_384, bytes(1, 1)))).toBe('ok')
  })

  test('the modification time is the wall clock of the last write', () => {
    const { time, files } = fileSystem()
    files.write('/a', 0, bytes(1, 1))
    const first = files.stat('/a')?.mtime as number
    time.run({ minutes: 1 })
    files.write('/a', 0, bytes(1, 1))
    expect(files.stat('/a')?.mtime).toBe(first + 60)
    files.corrupt('/a', 0, 1)
    expect(files.stat('/a')?.mtime).toBe(first + 60)
    expect(files.readFile('/a')).toEqual(new Uint8Array([0xfe]))
  })

  test('faults strike the operations, files and times they were made for', () => {
    const { time, files } = fileSystem()
    files.writeFile('/a', bytes(1, 10))
    files.writeFile('/b', bytes(1, 10))
    const end = files.fail({ operation: 'read', path: '/a', after: 1000 })
    files.fail({ operation: 'write', code: 'EROFS', times: 2 })
    const read = (path: string) => codeOf(() => files.read(path, 0, bytes(0, 1)))
    const write = () => codeOf(() => files.write('/b', 0, bytes(0, 1)))
    expect([read('/a'), write(), write(), write()]).toEqual(['ok', 'EROFS', 'EROFS', 'ok'])
    time.run({ seconds: 1 })
    expect([read('/a'), read('/b'), read('/a')]).toEqual(['EIO', 'ok', 'EIO'])
    end()
    expect(read('/a')).toBe('ok')
  })

  test('directories come and go with their files', () => {
    const { files } = fileSystem()
    files.write('/save/t/a/b/one', 0, bytes(1, 1))
    files.write('/save/t/a/two', 0, bytes(1, 1))
    expect(files.directoryPaths()).toEqual(['/save', '/save/t', '/save/t/a', '/save/t/a/b'])
    files.remove('/save/t/a/b/one')
    files.removeEmptyDirectories('/save/t/a/b', '/save')
    expect(files.directoryPaths()).toEqual(['/save', '/save/t', '/save/t/a'])
    files.remove('/save/t/a/two')
    files.removeEmptyDirectories('/save/t/a', '/save')
    expect(files.directoryPaths()).toEqual(['/save'])
  })
})

describe('a power failure', () => {
  const written = (files: SimFileSystem) => {
    files.write('/a', 0, bytes(1, 40_000))
    files.sync('/a')
    for (let i = 0; i < 10; i++) files.write('/a', i * 4000, bytes(2 + i, 4000))
    files.write('/new', 0, bytes(1, 100))
    return files
  }

  test('loses everything that was not synced', () => {
    const { files } = fileSystem()
    written(files).crash('nothing')
    expect(files.readFile('/a')).toEqual(bytes(1, 40_000))
    expect(files.readFile('/new')).toEqual(bytes(0, 0))
    expect(files.unsyncedChanges).toBe(0)
  })

  test.each([1, 2, 3, 4, 5])('may keep what was written up to some moment (seed %i)', (seed) => {
    const { files } = fileSystem(undefined, seed)
    written(files).crash('prefix')
    const content = files.readFile('/a') as Uint8Array
    const kept = Array.from({ length: 10 }, (_, i) => content[i * 4000] !== 1)
    expect(kept.lastIndexOf(true) + 1).toBe(kept.filter(Boolean).length)
  })

  test('may keep any selection, and parts of writes', () => {
    const outcomes = new Set<string>()
    let torn = 0
    for (let seed = 1; seed <= 20; seed++) {
      const { files } = fileSystem(undefined, seed)
      written(files).crash('some')
      const content = files.readFile('/a') as Uint8Array
      outcomes.add(Array.from({ length: 10 }, (_, i) => (content[i * 4000] === 1 ? '.' : 'x')).join(''))
      torn += Array.from({ length: 10 }, (_, i) => content[i * 4000] !== content[i * 4000 + 3999]).filter(
        Boolean,
      ).length
    }
    expect(outcomes.size).toBeGreaterThan(10)
    expect(torn).toBeGreaterThan(0)
  })

  test('a second one loses nothing more', () => {
    const { files } = fileSystem()
    written(files).crash('prefix')
    const content = files.readFile('/a')
    files.crash('nothing')
    expect(files.readFile('/a')).toEqual(content)
  })
})
