import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { makeContent, temporaryDirectory } from './scene.ts'

const ROOT = fileURLToPath(new URL('../../../..', import.meta.url))

test("the README's program runs as it is, and ends when its torrent is complete", async () => {
  const content = await makeContent({ single: 100_000 })
  const directory = temporaryDirectory()
  const [, program] = /```ts\n(.*?)```/s.exec(readFileSync(join(ROOT, 'README.md'), 'utf8')) ?? []
  writeFileSync(join(directory, 'program.mjs'), program)
  copyFileSync(content.torrent, join(directory, 'debian.torrent'))
  mkdirSync(join(directory, 'downloads'))
  copyFileSync(join(content.directory, 'single'), join(directory, 'downloads/single'))
  mkdirSync(join(directory, 'node_modules'))
  symlinkSync(join(ROOT, 'packages/engine'), join(directory, 'node_modules/libtorrent-ts'), 'junction')

  const options = { cwd: directory, encoding: 'utf8', timeout: 15_000 } as const
  const { status, stdout, stderr } = spawnSync(process.execPath, ['program.mjs'], options)
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  expect(stdout).toContain('single is complete\n')
})
