import { describe, expect, test } from 'vitest'
import { Alert, AlertCategory } from '../../../src/alerts/alert.ts'
import { type AlertRow, type AnyAlert, alertTable } from '../../../src/alerts/alertTable.ts'
import {
  BlockFinishedAlert,
  InvalidRequestAlert,
  PeerConnectAlert,
  PeerErrorAlert,
} from '../../../src/alerts/peerAlerts.ts'
import { AlertsDroppedAlert, ListenFailedAlert } from '../../../src/alerts/sessionAlerts.ts'
import { FileErrorAlert, ReadPieceAlert } from '../../../src/alerts/storageAlerts.ts'
import { StateChangedAlert, StatsAlert, StatsChannel, TorrentFinishedAlert } from '../../../src/alerts/torrentAlerts.ts'
import { TrackerErrorAlert, TrackerReplyAlert } from '../../../src/alerts/trackerAlerts.ts'
import { httpError, libtorrentError } from '../../../src/errors/libtorrentError.ts'
import { Sha1Hash } from '../../../src/util/digest.ts'

const handle = { infoHash: Sha1Hash.fromHex('0123456789'.repeat(4)) }
const peer = { handle, endpoint: { address: '2001:db8::1', port: 6881 }, pid: new Uint8Array(20) }
const tracker = { handle, url: 'http://tracker.example/announce' }
const rows = Object.entries(alertTable) as [string, AlertRow][]

describe('alertTable', () => {
  test('name, class and libtorrent name of every kind agree', () => {
    for (const [type, row] of rows) {
      const className = `${type[0].toUpperCase()}${type.slice(1)}Alert`
      expect((row.alertClass as unknown as { name: string }).name).toBe(className)
      expect(row.libtorrentName).toBe(`${type.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)}_alert`)
      expect(row.alertClass.prototype).toBeInstanceOf(Alert)
    }
  })

  test('every kind belongs to at least one category', () => {
    const without = rows.filter(([, row]) => (row.category & AlertCategory.all) === 0)
    expect(without).toEqual([])
  })

  test('no two kinds share a number', () => {
    expect(new Set(rows.map(([, row]) => row.id)).size).toBe(rows.length)
  })
})

describe('an alert', () => {
  test('carries its kind, its category, its libtorrent name and its fields', () => {
    const alert = new TorrentFinishedAlert({ handle })
    expect(alert.type).toBe('torrentFinished')
    expect(alert.what()).toBe('torrent_finished')
    expect(alert.category).toBe(AlertCategory.status)
    expect(TorrentFinishedAlert.category).toBe(AlertCategory.status)
    expect(alert.handle).toBe(handle)
  })

  test('is narrowed by its type, and by instanceof', () => {
    const alert = new TrackerReplyAlert({ ...tracker, numPeers: 7 }) as AnyAlert
    const byType: number = alert.type === 'trackerReply' ? alert.numPeers : -1
    const byClass: number = alert instanceof TrackerReplyAlert ? alert.numPeers : -1
    expect([byType, byClass]).toEqual([7, 7])
  })

  const sentences: [Alert, string][] = [
    [new TorrentFinishedAlert({ handle }), '012345 torrent finished downloading'],
    [
      new StateChangedAlert({ handle, state: 'seeding', prevState: 'downloading' }),
      '012345: state changed to: seeding',
    ],
    [
      new BlockFinishedAlert({ ...peer, pieceIndex: 3, blockIndex: 1 }),
      '012345 peer [2001:db8::1]:6881 block finished downloading (piece: 3 block: 1)',
    ],
    [
      new InvalidRequestAlert({ ...peer, request: { piece: 1, start: 16384, length: 5 } }),
      '012345 peer [2001:db8::1]:6881 peer sent an invalid piece request (piece: 1 start: 16384 len: 5)',
    ],
    [new PeerConnectAlert({ ...peer, socketType: 'tcp' }), '012345 peer [2001:db8::1]:6881 connected (tcp)'],
    [
      new PeerErrorAlert({ ...peer, error: libtorrentError('invalidHave', { operation: 'bittorrent' }) }),
      `012345 peer [2001:db8::1]:6881 peer error [bittorrent] [libtorrent]: ${libtorrentError('invalidHave').message}`,
    ],
    [
      new TrackerErrorAlert({ ...tracker, timesInRow: 2, error: httpError(404), msg: 'go away' }),
      '012345 (http://tracker.example/announce) 404 not found "go away" (2)',
    ],
    [
      new FileErrorAlert({ handle, file: '/d/a', error: libtorrentError('fileCollision', { operation: 'fileOpen' }) }),
      `012345 fileOpen (/d/a) error: ${libtorrentError('fileCollision').message}`,
    ],
    [
      new ListenFailedAlert({
        endpoint: { address: '0.0.0.0', port: 80 },
        sockType: 'tcp',
        error: libtorrentError('invalidPort', { operation: 'listen' }),
      }),
      `listening on 0.0.0.0:80 (tcp) failed: [listen] ${libtorrentError('invalidPort').message}`,
    ],
    [new AlertsDroppedAlert({ droppedAlerts: new Map([['stats', 3]]) }), 'dropped alerts: stats 3'],
  ]
  test.each(sentences.map(([alert, text]) => ({ alert, type: alert.type, text })))(
    '$type: $text',
    ({ alert, text }) => {
      expect(alert.message()).toBe(text)
    },
  )

  test('a failed read has an error and no bytes, a good one the other way round', () => {
    const error = libtorrentError('fileTooShort')
    const bad = new ReadPieceAlert({ handle, piece: 5, buffer: null, error })
    expect([bad.buffer, bad.size, bad.error, bad.ec]).toEqual([null, 0, error, error])
    const good = new ReadPieceAlert({ handle, piece: 5, buffer: new Uint8Array(9), error: null })
    expect([good.size, good.error]).toEqual([9, null])
    expect(good.message()).toBe('012345: read_piece 5 successful')
  })

  test('the status code of a tracker error is that of HTTP, 0 for anything else', () => {
    expect(new TrackerErrorAlert({ ...tracker, timesInRow: 1, error: httpError(401) }).statusCode).toBe(401)
    expect(new TrackerErrorAlert({ ...tracker, timesInRow: 1, error: libtorrentError('timedOut') }).statusCode).toBe(0)
  })

  test('the counters of a stats alert are found by channel', () => {
    const transferred = Array.from({ length: StatsChannel.numChannels }, (_, i) => i * 10)
    const alert = new StatsAlert({ handle, transferred, interval: 1001 })
    expect(alert.transferred[StatsChannel.downloadPayload]).toBe(50)
    expect(alert.message()).toBe('012345: [1001] 0 10 20 30 40 50 60 70 80 90')
  })
})
