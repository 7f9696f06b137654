import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { expect, onTestFinished, test } from 'vitest'
import { loadIpFilter } from '../../../src/api/loadIpFilter.ts'
import { IpFilter } from '../../../src/filter/ipFilter.ts'

function aFile(content: string | Uint8Array): string {
  const directory = mkdtempSync(join(tmpdir(), 'lt-filter-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  const path = join(directory, 'list')
  writeFileSync(path, content)
  return path
}

test('a list is read from a file, plain or gzip, or from its bytes', async () => {
  const text = '1.0.0.0/8\n2.0.0.0 - 2.0.0.9 , 200 , allowed\nbad\n'
  const sources = [aFile(text), aFile(gzipSync(text)), gzipSync(text), new TextEncoder().encode(text)]
  for (const source of sources) {
    const { filter, ...counts } = await loadIpFilter(source)
    expect(filter.isBlocked('1.2.3.4')).toBe(true)
    expect(filter.isBlocked('2.0.0.1')).toBe(false)
    expect(counts).toMatchObject({
      numRanges: 1,
      numAllowed: 1,
      numBadLines: 1,
      firstBadLine: { line: 3, text: 'bad' },
    })
  }
})

test('a list is added to a filter that is given', async () => {
  const filter = new IpFilter()
  filter.addRule('9.9.9.9', '9.9.9.9', IpFilter.blocked)
  expect((await loadIpFilter(aFile('1.2.3.4'), filter)).filter).toBe(filter)
  expect(filter.isBlocked('9.9.9.9') && filter.isBlocked('1.2.3.4')).toBe(true)
})

test('what cannot be read says which file and why', async () => {
  await expect(loadIpFilter('/no/such/list')).rejects.toMatchObject({
    code: 'ENOENT',
    category: 'system',
    path: '/no/such/list',
  })
  await expect(loadIpFilter(tmpdir())).rejects.toMatchObject({ code: 'EISDIR' })
  const path = aFile('<html>\n</html>')
  await expect(loadIpFilter(path)).rejects.toMatchObject({
    code: 'EINVAL',
    path,
    message: expect.stringMatching(/eMule/),
  })
  await expect(loadIpFilter(undefined as unknown as string)).rejects.toThrow(TypeError)
})
