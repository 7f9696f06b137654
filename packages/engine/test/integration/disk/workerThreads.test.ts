import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { expect, test } from 'vitest'

const require = createRequire(import.meta.url)
const diskWorkers = new URL('../../../src/node/diskWorkers.ts', import.meta.url).href

/** Runs a script in a process of its own; resolves to its output when it ends by itself. */
function run(script: string): Promise<string> {
  const directory = mkdtempSync(join(tmpdir(), 'lt-script-'))
  const file = join(directory, 'script.mts')
  writeFileSync(file, script.replace('DIRECTORY', JSON.stringify(directory)))
  const loader = pathToFileURL(require.resolve('tsx')).href
  return new Promise((resolve, reject) => {
    execFile(process.execPath, ['--import', loader, file], { timeout: 15_000 }, (error, stdout) => {
      rmSync(directory, { recursive: true })
      if (error === null) resolve(stdout.trim())
      else reject(error)
    })
  })
}

test('workers keep a process alive until their work is done, and not longer', async () => {
  const output = await run(`
    import { createDiskIo } from '${diskWorkers}'
    const disk = createDiskIo({ maxQueuedDiskBytes: 1e6, filePoolSize: 10 }, { workerCount: 2 })
    const storage = disk.openStorage(
      {
        savePath: DIRECTORY,
        files: [{ path: 'file', size: 16384, offset: 0, pad: false }],
        totalSize: 16384,
        pieceLength: 16384,
        allocation: 'sparse',
      },
      {
        onBlockWritten: (piece, offset, length, error) => console.log('written', piece, length, error),
        onPieceHashed: (piece, digest) => console.log('hashed', piece, digest.length),
        onBlockRead: () => {},
      },
    )
    storage.writeBlock(0, 0, 16384, disk.pool.acquire())
    storage.hashPiece(0)
  `)
  expect(output).toBe('written 0 16384 null\nhashed 0 20')
})
