import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ClientKind, SslFiles } from '../clients/client.ts'
import { freePort } from '../lib/ports.ts'
import { type TorrentFixture, writeTorrentFile } from '../lib/torrentFixture.ts'
import { addressOf, expectSameContent, type InteropCase, type Stage } from './interopCase.ts'
import { ONLY_UTP } from './utp.ts'

const TRANSFER_TIMEOUT_MS = 50_000

/** SSL torrents, both ways: with certificates that name every torrent and such that name this one, by TCP and by uTP. */
export function sslTorrentCases(ours: ClientKind, libtorrent: ClientKind): InteropCase[] {
  return [
    { seeder: libtorrent, downloader: ours },
    { seeder: ours, downloader: libtorrent },
  ].flatMap(({ seeder, downloader }) => [
    ...(['*', 'single'] as const).map((dnsName) => ({
      name: `ssl: ${seeder.name} seeds, ${downloader.name} downloads, certificate for ${dnsName}`,
      needs: [seeder, downloader],
      run: (stage: Stage) => transfer(stage, seeder, downloader, { dnsName }),
    })),
    ...['127.0.0.1', '::1'].map((utpAt) => ({
      name: `ssl: ${seeder.name} seeds, ${downloader.name} downloads by uTP${utpAt === '::1' ? ', IPv6' : ''}`,
      needs: [seeder, downloader],
      run: (stage: Stage) => transfer(stage, seeder, downloader, { dnsName: '*', utpAt }),
    })),
  ])
}

interface Variant {
  /** What the certificates are for. */
  readonly dnsName: string
  /** Nothing but uTP, at this address. */
  readonly utpAt?: string
}

async function transfer(
  stage: Stage,
  seeder: ClientKind,
  downloader: ClientKind,
  { dnsName, utpAt }: Variant,
): Promise<undefined> {
  const settingsAt = (port: number) => {
    if (utpAt === undefined) return undefined
    const at = utpAt === '::1' ? '[::1]' : utpAt
    return { ...ONLY_UTP, listen_interfaces: `${at}:0,${at}:${port}s` }
  }
  const plain = stage.fixture('single')
  const { fixture, issue } = makeSslFixture(stage, plain)
  const seedDirectory = stage.seedDirectory(fixture)
  const savePath = stage.subdirectory('downloaded')
  const [seedPort, downloadPort] = [await freePort(), await freePort()]
  const seeding = await stage.start(seeder, {
    role: 'seed',
    source: fixture.torrent,
    savePath: seedDirectory,
    peers: [],
    port: seedPort,
    settings: settingsAt(seedPort),
    ssl: issue('seed', dnsName),
  })
  const downloading = await stage.start(downloader, {
    role: 'download',
    source: fixture.torrent,
    savePath,
    peers: [utpAt === undefined ? addressOf(seeding) : { host: utpAt, port: seedPort }],
    port: downloadPort,
    settings: settingsAt(downloadPort),
    ssl: issue('download', dnsName),
  })
  await downloading.finished(TRANSFER_TIMEOUT_MS)
  await downloading.stop()
  expectSameContent(fixture, savePath, downloader)
}

/** The content of `plain` as an SSL torrent of an authority made for it. */
function makeSslFixture(
  stage: Stage,
  plain: TorrentFixture,
): { fixture: TorrentFixture; issue: (name: string, dnsName: string) => SslFiles } {
  const path = (name: string) => join(stage.directory, name)
  const key = ['-newkey', 'rsa:2048', '-nodes']
  openssl(
    'req',
    '-x509',
    ...key,
    '-days',
    '30',
    '-subj',
    '/CN=root',
    '-keyout',
    path('root.key'),
    '-out',
    path('root.pem'),
  )
  openssl('genpkey', '-genparam', '-algorithm', 'DH', '-pkeyopt', 'group:ffdhe2048', '-out', path('dh.x942'))
  openssl('dhparam', '-in', path('dh.x942'), '-out', path('dh.pem'))
  const info = { ...plain.info, 'ssl-cert': readFileSync(path('root.pem'), 'latin1') }
  const fixture = { ...plain, info, ...writeTorrentFile(path('ssl.torrent'), info) }
  const issue = (name: string, dnsName: string) => {
    const [certificate, privateKey] = [path(`${name}.pem`), path(`${name}.key`)]
    writeFileSync(path(`${name}.ext`), `subjectAltName=DNS:${dnsName}`)
    openssl('req', ...key, '-subj', '/CN=peer', '-keyout', privateKey, '-out', path(`${name}.csr`))
    const signer = ['-CA', path('root.pem'), '-CAkey', path('root.key'), '-CAcreateserial']
    openssl(
      'x509',
      '-req',
      '-in',
      path(`${name}.csr`),
      ...signer,
      '-days',
      '1',
      '-extfile',
      path(`${name}.ext`),
      '-out',
      certificate,
    )
    return { certificate, privateKey, dhParams: path('dh.pem') }
  }
  return { fixture, issue }
}

function openssl(...args: string[]): void {
  execFileSync('openssl', args, { stdio: ['ignore', 'ignore', 'pipe'] })
}
