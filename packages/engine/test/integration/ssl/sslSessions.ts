import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished } from 'vitest'
import { TestTorrent, type TestTorrentOptions } from '../../../sim/testTorrent.ts'
import { AlertCategory } from '../../../src/alerts/alert.ts'
import type { SessionAlert } from '../../../src/api/alertingSession.ts'
import { Session } from '../../../src/api/session.ts'
import type { TorrentHandle } from '../../../src/api/torrentHandle.ts'
import type { Settings } from '../../../src/settings/settings.ts'
import { ALONE } from '../../alone.ts'
import type { Authority, IssuedCertificate } from './authority.ts'

/** A session with one SSL torrent, listening on loopback for plain peers and for SSL peers. */
export interface SslClient {
  readonly session: Session
  readonly torrent: TorrentHandle
  readonly alerts: SessionAlert[]
}

export interface SslClientOptions {
  readonly seeds?: boolean
  readonly certificate?: IssuedCertificate
  readonly settings?: Partial<Settings>
}

export function sslTorrent(authority: Authority, options: TestTorrentOptions = {}): TestTorrent {
  return new TestTorrent({ size: 300_000, ...options, sslCert: authority.rootCert })
}

export async function openClient(content: TestTorrent, options: SslClientOptions = {}): Promise<SslClient> {
  const savePath = mkdtempSync(join(tmpdir(), 'lt-ssl-'))
  if (options.seeds) writeFileSync(join(savePath, content.name), content.content)
  const listenInterfaces = '127.0.0.1:0,127.0.0.1:0s'
  const settings = { ...ALONE, listenInterfaces, alertMask: AlertCategory.all, ...options.settings }
  const session = new Session({ settings, disk: { poolBytes: 4 << 20 } })
  const alerts: SessionAlert[] = []
  session.on('alert', (alert) => alerts.push(alert))
  onTestFinished(async () => {
    await session.abort()
    rmSync(savePath, { recursive: true, force: true })
  })
  const torrent = session.addTorrent({ ti: content.info(), savePath, autoManaged: false })
  const { certificate } = options
  if (certificate) torrent.setSslCertificateBuffer(certificate.certificate, certificate.privateKey)
  await session.ready
  if (options.seeds) await poll(() => torrent.isSeed).toBe(true)
  return { session, torrent, alerts }
}

export function sslEndpoint({ session }: SslClient): { address: string; port: number } {
  return { address: '127.0.0.1', port: session.sslListenPort }
}

/** `expect.poll` with time for a busy machine. */
export function poll<T>(value: () => T): ReturnType<typeof expect.poll<T>> {
  return expect.poll(value, { timeout: 15_000, interval: 20 })
}

/** The errors connections of a client ended with, first to last. */
export function endCodes({ alerts }: SslClient): string[] {
  return alerts.flatMap((alert) =>
    alert.type === 'peerError' || alert.type === 'peerDisconnected' ? [alert.error.code] : [],
  )
}
