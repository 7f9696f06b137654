import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { Lt } from './lt.ts'
import { makeContent, seedContent, temporaryDirectory } from './scene.ts'

function aList(content: string | Uint8Array): string {
  const path = join(temporaryDirectory(), 'list')
  writeFileSync(path, content)
  return path
}

test('--ip-filter says how much each list blocks, and lets others through', async () => {
  const content = await makeContent({ single: 100_000 })
  const dat = aList('1.0.0.0 - 1.0.0.255 , 000 , a\n2.0.0.0 - 2.0.0.255 , 200 , b\n')
  const packed = aList(gzipSync('10.0.0.0/8\nwhat is this\n3.0.0.1\n'))
  const args = ['-o', temporaryDirectory(), '--peer', await seedContent(content), '--port', '0', '--no-seed']
  const lists = ['--ip-filter', dat, '--ip-filter', packed]
  const lt = new Lt('download', content.torrent, ...args, ...lists, '--json')
  expect(await lt.exited).toBe(0)
  expect(lt.lines.filter(({ type }) => type === 'ipFilter')).toEqual([
    { type: 'ipFilter', file: dat, ranges: 1, allowed: 1, badLines: 0 },
    { type: 'ipFilter', file: packed, ranges: 2, allowed: 0, badLines: 1 },
  ])
  expect(await lt.event('warning')).toMatchObject({ message: expect.stringContaining('line 2: what is this'), line: 2 })
})

test('nobody whom --ip-filter blocks is connected to, and a --peer among them is warned of', async () => {
  const content = await makeContent({ single: 100_000 })
  const args = ['-o', temporaryDirectory(), '--peer', await seedContent(content), '--port', '0', '--json']
  const lt = new Lt('download', content.torrent, ...args, '--ip-filter', aList('127.0.0.0/8'))
  expect(await lt.event('warning')).toMatchObject({ peer: '127.0.0.1', message: expect.stringContaining('--peer') })
  await lt.event('added')
  await lt.event('progress')
  expect(lt.lines.filter(({ type, peers }) => type === 'progress' && peers !== 0)).toEqual([])
  expect(lt.lines.some(({ type }) => type === 'complete')).toBe(false)
  lt.kill('SIGINT')
  expect(await lt.exited).toBe(130)
})

test.each([
  ['no list at all', () => aList('<html>\n'), /--ip-filter .*list cannot be used: it is no list of addresses.*\.p2p/],
  ['not there', () => '/no/such/list', /--ip-filter \/no\/such\/list cannot be used: no such file or directory/],
  ['a directory', () => temporaryDirectory(), /cannot be used: it is a directory/],
])('--ip-filter with a file that is %s ends the command, with the reason', async (_, path, words) => {
  const content = await makeContent({ single: 1000 })
  const { code, stdout, stderr } = await Lt.run('seed', content.torrent, '-o', content.directory, '--ip-filter', path())
  expect([code, stdout]).toEqual([1, ''])
  expect(stderr).toMatch(words)
})
