import { expect, test } from 'vitest'
import type { Alert } from '../../../src/alerts/alert.ts'
import { TorrentNews } from '../../../src/torrent/torrentNews.ts'
import { Sha1Hash } from '../../../src/util/digest.ts'
import { TransferStats } from '../../../src/util/transferStats.ts'

test('the interval of the stats alert is whole milliseconds, whatever the clock says', () => {
  const posted: Alert[] = []
  const ref = { infoHash: new Sha1Hash(new Uint8Array(20)), name: '' }
  const news = new TorrentNews({ ref, alerts: { wants: () => true, post: (alert) => posted.push(alert) } })
  for (const elapsed of [1000.4071, 1000.93, 1001]) news.stats(new TransferStats(), elapsed)
  expect(posted.map((alert) => (alert as { interval?: number }).interval)).toEqual([1000, 1001, 1001])
})
