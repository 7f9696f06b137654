import { expect, test } from 'vitest'
import { TestTorrent } from '../../../sim/testTorrent.ts'
import { forLocalhost } from '../tracker/certificates.ts'
import { httpsServer } from '../tracker/servers.ts'
import { openClient, poll } from './sslSessions.ts'

test.each([true, false])(
  'a tracker whose certificate nobody vouches for: validateHttpsTrackers %s',
  async (validate) => {
    const asked: string[] = []
    const port = await httpsServer(forLocalhost, (request, answer) => {
      asked.push(request.url ?? '')
      answer.end('d8:intervali1800e5:peers0:e')
    })
    const content = new TestTorrent({ size: 1000, trackers: [`https://localhost:${port}/announce`] })
    const settings = { validateHttpsTrackers: validate, stopTrackerTimeout: 1 }
    const { torrent, alerts } = await openClient(content, { settings })
    const outcome = () => alerts.find(({ type }) => type === 'trackerReply' || type === 'trackerError')?.type
    await poll(outcome).toBe(validate ? 'trackerError' : 'trackerReply')
    const { code } = torrent.trackers()[0].lastError ?? {}
    expect(code).toBe(validate ? 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' : undefined)
    expect(asked.length > 0).toBe(!validate)
  },
)
