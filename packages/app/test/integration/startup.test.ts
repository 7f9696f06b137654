import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const PACKAGES = fileURLToPath(new URL('../../..', import.meta.url))

/** The modules that are loaded with a file of a bundle, at once, but for the files of the bundle themselves. */
function loadedWith(file: string, seen = new Set<string>()): Set<string> {
  if (seen.has(file)) return new Set()
  seen.add(file)
  const modules = new Set<string>()
  for (const [, name] of readFileSync(file, 'utf8').matchAll(/^(?:import|export|\})[^\n]*?["']([^"'\n]+)["'];$/gm)) {
    if (!name.startsWith('.')) modules.add(name)
    else for (const each of loadedWith(join(dirname(file), name), seen)) modules.add(each)
  }
  return modules
}

test('what the command says of itself is said without the engine, which takes longer to load than Node', () => {
  const modules = loadedWith(join(PACKAGES, 'app/dist/bundle/index.js'))
  expect(modules).toContain('node:fs')
  expect(modules).not.toContain('libtorrent-ts')
})

test('the engine loads what few sessions need when they need it', () => {
  const modules = loadedWith(join(PACKAGES, 'engine/dist/bundle/index.js'))
  expect(modules).toContain('node:net')
  const seldom = ['tls', 'https', 'http', 'http2', 'zlib', 'child_process'].map((name) => `node:${name}`)
  const packages = ['ws', 'node-datachannel', 'mmdb-lib', 'saxes', '@noble/curves/ed25519.js']
  expect([...seldom, ...packages].filter((name) => modules.has(name))).toEqual([])
})
