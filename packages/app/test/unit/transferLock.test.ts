import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { TransferLock } from '../../src/transfer/transferLock.ts'

const HASH = '0123456789abcdef0123456789abcdef01234567'
/** No system hands out process ids this large. */
const NOBODY = '999999999'
let temporary: string

beforeEach(async () => {
  temporary = await mkdtemp(join(tmpdir(), 'lt-lock-'))
  vi.stubEnv('TMPDIR', temporary)
})

afterEach(async () => {
  vi.unstubAllEnvs()
  await rm(temporary, { recursive: true })
})

async function lockFile(): Promise<string> {
  const [folder] = await readdir(temporary)
  const [name] = await readdir(join(temporary, folder))
  return join(temporary, folder, name)
}

test('while another process runs with the lock it cannot be taken, and its process is named', async () => {
  await TransferLock.take('/save', HASH)
  // The process that started this one is there for as long as the test is.
  await writeFile(await lockFile(), String(process.ppid))
  await expect(TransferLock.take('/save', HASH)).rejects.toThrow(`Process ${process.ppid} is downloading`)
})

test('the lock of a process that was killed is taken over', async () => {
  await TransferLock.take('/save', HASH)
  await writeFile(await lockFile(), NOBODY)
  await expect(TransferLock.take('/save', HASH)).resolves.toBeDefined()
})

test('an empty lock, of a process killed before it wrote its id, is taken over', async () => {
  await TransferLock.take('/save', HASH)
  await writeFile(await lockFile(), '')
  await expect(TransferLock.take('/save', HASH)).resolves.toBeDefined()
})

test('a lock that was released leaves nothing behind', async () => {
  const lock = await TransferLock.take('/save', HASH)
  const path = await lockFile()
  await lock.release()
  await expect(readdir(join(path, '..'))).resolves.toEqual([])
})

test('other directories and other torrents are locked on their own', async () => {
  await TransferLock.take('/save', HASH)
  await writeFile(await lockFile(), String(process.ppid))
  await expect(TransferLock.take('/elsewhere', HASH)).resolves.toBeDefined()
  await expect(TransferLock.take('/save', HASH.replace('0', 'f'))).resolves.toBeDefined()
})
