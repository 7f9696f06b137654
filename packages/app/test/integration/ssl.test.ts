import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { TorrentInfo } from 'libtorrent-ts'
import { expect, test } from 'vitest'
import { Lt } from './lt.ts'
import { makeContent, temporaryDirectory } from './scene.ts'

const CURVE = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes']

/** A publisher's root certificate and a certificate for everybody, in files. */
function makeCertificates() {
  const directory = temporaryDirectory()
  const path = (name: string) => join(directory, name)
  const openssl = (...args: string[]) => execFileSync('openssl', args, { stdio: 'pipe' })
  openssl(
    'req',
    '-x509',
    ...CURVE,
    '-days',
    '9',
    '-subj',
    '/O=Publisher/CN=root',
    '-keyout',
    path('root.key'),
    '-out',
    path('root.pem'),
  )
  openssl('req', ...CURVE, '-subj', '/CN=*', '-keyout', path('peer.key'), '-out', path('peer.csr'))
  const signer = ['-CA', path('root.pem'), '-CAkey', path('root.key'), '-CAcreateserial', '-days', '1']
  openssl('x509', '-req', '-in', path('peer.csr'), ...signer, '-out', path('peer.pem'))
  writeFileSync(path('both.pem'), readFileSync(path('root.key'), 'utf8') + readFileSync(path('root.pem'), 'utf8'))
  return { root: path('root.pem'), rootWithKey: path('both.pem'), cert: path('peer.pem'), key: path('peer.key') }
}

test('an SSL torrent is made, shown, seeded and downloaded', async () => {
  const { root, rootWithKey, cert, key } = makeCertificates()
  const content = await makeContent({ single: 300_000 })
  const torrent = join(temporaryDirectory(), 'ssl.torrent')
  // The private key of the publisher in the same file stays out of the torrent.
  const made = await Lt.run('create', join(content.directory, 'single'), '-o', torrent, '--root-cert', rootWithKey)
  expect(made.code).toBe(0)
  const info = new TorrentInfo(readFileSync(torrent))
  expect(info.sslCert.trim()).toBe(readFileSync(root, 'utf8').trim())
  expect(readFileSync(torrent, 'latin1')).not.toContain('PRIVATE')

  const shown = await Lt.run('info', torrent)
  expect(shown.stdout).toContain('SSL:         yes: peers need a certificate that is signed by O=Publisher, CN=root')

  const seed = new Lt('seed', torrent, '-o', content.directory, '--port', '0', '--cert', cert, '--key', key, '--json')
  const { listenPort } = await seed.event('added')
  await seed.event('complete')
  const savePath = temporaryDirectory()
  const peer = ['--peer', `127.0.0.1:${listenPort}`, '-o', savePath, '--port', '0', '--no-seed']
  const download = await Lt.run('download', torrent, ...peer, '--cert', cert, '--key', key)
  expect(download.stderr).toBe('')
  expect(download.code).toBe(0)
  expect(readFileSync(join(savePath, 'single'))).toEqual(readFileSync(join(content.directory, 'single')))
})

test('what is wrong with certificates is told before anything is done', async () => {
  const { root, cert, key } = makeCertificates()
  const content = await makeContent({ single: 1000 })
  const path = join(content.directory, 'single')
  const torrent = join(temporaryDirectory(), 'ssl.torrent')
  expect((await Lt.run('create', path, '-o', torrent, '--root-cert', '/nowhere')).stderr).toContain('no such file')
  expect((await Lt.run('create', path, '-o', torrent, '--root-cert', key)).stderr).toContain(
    'no certificate in PEM form',
  )
  expect((await Lt.run('create', path, '-o', torrent, '--root-cert', cert)).stderr).toContain('may sign no others')
  expect((await Lt.run('create', path, '-o', torrent, '--root-cert', root)).code).toBe(0)

  const seed = (...args: string[]) =>
    Lt.run('seed', torrent, '-o', content.directory, '--port', '0', '--seed-time', '0', ...args)
  expect((await seed('--cert', '/nowhere')).stderr).toContain('/nowhere: no such file')
  expect((await seed('--cert', cert)).stderr).toContain('the private key is no key')
  expect((await seed('--key', key)).code).toBe(2)
  expect((await seed()).stderr).toContain('without a certificate of its publisher')
  const plain = await Lt.run(
    'seed',
    content.torrent,
    '-o',
    content.directory,
    '--port',
    '0',
    '--seed-time',
    '0',
    '--cert',
    cert,
  )
  expect(plain.stderr).toContain('no SSL torrent')
})

test('--interface binds what listens and what connects', async () => {
  const content = await makeContent({ single: 100_000 })
  const seed = new Lt(
    'seed',
    content.torrent,
    '-o',
    content.directory,
    '--port',
    '0',
    '--interface',
    '127.0.0.2',
    '--json',
  )
  const { listenPort } = await seed.event('added')
  const savePath = temporaryDirectory()
  const args = ['-o', savePath, '--no-seed', '--port', '0', '--interface', 'lo']
  const download = await Lt.run('download', content.torrent, ...args, '--peer', `127.0.0.2:${listenPort}`)
  expect(download.code).toBe(0)
  expect((await Lt.run('download', content.torrent, '--interface', '1.2.3')).code).toBe(2)
})
