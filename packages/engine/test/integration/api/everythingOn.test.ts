import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import type { RequestListener } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { TestTorrent } from '../../../sim/testTorrent.ts'
import { AlertCategory } from '../../../src/alerts/alert.ts'
import type { SessionAlert } from '../../../src/api/alertingSession.ts'
import { Session } from '../../../src/api/session.ts'
import { ProxyType } from '../../../src/settings/proxyType.ts'
import { EncPolicy } from '../../../src/settings/settingEnums.ts'
import type { Settings } from '../../../src/settings/settings.ts'
import { ALONE } from '../../alone.ts'
import { realProxy } from '../proxy/proxies.ts'
import { WebTrackerServer } from '../rtc/webTrackerServer.ts'
import { Authority } from '../ssl/authority.ts'
import { forLocalhost } from '../tracker/certificates.ts'
import { afterThisTest, httpServer, httpsServer } from '../tracker/servers.ts'

/** What of the system is open and keeps the process alive, by kind. */
function held(): Map<string, number> {
  const counts = new Map<string, number>()
  for (const name of process.getActiveResourcesInfo()) counts.set(name, (counts.get(name) ?? 0) + 1)
  return counts
}

/** What there is more of than before. A connection that nobody has closed is seen at the other side, the test's servers. */
function grown(before: ReadonlyMap<string, number>): [string, number][] {
  return [...held()].filter(([name, count]) => count > (before.get(name) ?? 0))
}

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'lt-all-'))
  afterThisTest(() => rmSync(path, { recursive: true, force: true }))
  return path
}

const EVERYTHING: Partial<Settings> = {
  ...ALONE,
  enableDht: true,
  enableLsd: true,
  dhtBootstrapNodes: '',
  webtorrentStunServer: '',
  listenInterfaces: '127.0.0.1:0,127.0.0.1:0s',
  outEncPolicy: EncPolicy.enabled,
  inEncPolicy: EncPolicy.enabled,
  stopTrackerTimeout: 1,
  alertMask: AlertCategory.all,
}

/** Longest anything takes, on a machine that is busy with other things. */
const LONG = { timeout: 30_000 }

/** Servers that begin to answer, and never end; `asked` counts. */
async function endless(asked: () => void): Promise<readonly [http: number, https: number]> {
  const answer: RequestListener = (_, response) => {
    asked()
    response.writeHead(206, { 'content-length': 1_000_000, 'content-range': 'bytes 0-999999/1000000' })
    response.write('x'.repeat(1000))
  }
  return [await httpServer(answer), await httpsServer(forLocalhost, answer)]
}

async function scene(more: (port: number) => Partial<Settings>): Promise<void> {
  let requests = 0
  const [http, https] = await endless(() => requests++)
  const web = await WebTrackerServer.start()
  const { port } = await realProxy({ kind: 'socks5' })
  const authority = new Authority()
  const before = held()
  const alerts: SessionAlert[] = []
  const sessions = [EVERYTHING, { ...EVERYTHING, ...more(port) }].map((settings) => {
    const session = new Session({ settings, disk: { poolBytes: 4 << 20 } })
    session.setAlertDispatch((alert) => alerts.push(alert))
    return session
  })
  await Promise.all(sessions.map(({ ready }) => ready))
  const trackers = [
    `http://127.0.0.1:${http}/announce`,
    `https://localhost:${https}/announce`,
    'udp://127.0.0.1:9',
    web.url,
  ]
  const torrents = [
    new TestTorrent({ size: 1_000_000, name: 'plain', trackers }),
    new TestTorrent({ size: 1_000_000, name: 'secure', trackers, sslCert: authority.rootCert }),
  ]
  for (const [i, session] of sessions.entries()) {
    const savePath = folder()
    for (const torrent of torrents) {
      if (i === 0) writeFileSync(join(savePath, torrent.name), torrent.content)
      const urlSeeds = i === 0 ? [] : [`http://127.0.0.1:${http}/`, `https://localhost:${https}/`]
      const handle = session.addTorrent({ ti: torrent.info(), savePath, autoManaged: false, urlSeeds })
      const { certificate, privateKey } = authority.issue()
      if (torrent.name === 'secure') handle.setSslCertificateBuffer(certificate, privateKey)
      const [first] = sessions
      handle.connectPeer({
        address: '127.0.0.1',
        port: torrent.name === 'secure' ? first.sslListenPort : first.listenPort,
      })
      handle.connectPeer({ address: '127.0.0.1', port: 9 })
    }
  }
  await expect.poll(() => alerts.filter(({ type }) => type === 'peerConnect').length, LONG).toBeGreaterThan(2)
  // Both torrents are being fetched from a web seed, which does not end.
  await expect.poll(() => requests, LONG).toBeGreaterThanOrEqual(2)
  const kinds = () => grown(before).map(([name]) => name)
  await expect.poll(kinds, LONG).toEqual(expect.arrayContaining(['TCPSocketWrap', 'UDPWrap']))
  await Promise.all(sessions.map((session) => session.abort()))
  // What closing needs of the system is a moment of the event loop.
  await expect.poll(() => grown(before), LONG).toEqual([])
  expect(alerts.filter(({ type }) => type === 'sessionError')).toEqual([])
}

test('a session with everything on lets go of everything when it ends', () => scene(() => ({})), 120_000)

test(
  'and so does one behind a proxy',
  () =>
    scene((port) => ({
      proxyType: ProxyType.socks5,
      proxyHostname: '127.0.0.1',
      proxyPort: port,
    })),
  120_000,
)
