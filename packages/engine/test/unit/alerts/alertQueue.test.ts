import { describe, expect, test } from 'vitest'
import { AlertCategory } from '../../../src/alerts/alert.ts'
import { AlertQueue } from '../../../src/alerts/alertQueue.ts'
import type { AnyAlert } from '../../../src/alerts/alertTable.ts'
import { AlertsDroppedAlert, ExternalIpAlert } from '../../../src/alerts/sessionAlerts.ts'
import { SaveResumeDataAlert } from '../../../src/alerts/storageAlerts.ts'
import { TorrentFinishedAlert } from '../../../src/alerts/torrentAlerts.ts'
import { Sha1Hash } from '../../../src/util/digest.ts'

const handle = { infoHash: Sha1Hash.fromHex('ab'.repeat(20)) }
const NOW = 1_700_000_000
const clock = { now: () => 1, unixTime: () => NOW }

function aQueue(sizeLimit = 10): AlertQueue {
  return new AlertQueue(clock, { mask: AlertCategory.status, sizeLimit })
}

/** An alert of normal priority. */
function normal(address = '192.0.2.1'): ExternalIpAlert {
  return new ExternalIpAlert({ externalAddress: address })
}

describe('AlertQueue', () => {
  test('alerts are popped once, in the order they were posted, stamped with the time of posting', () => {
    const queue = aQueue()
    queue.post(normal('192.0.2.1'))
    queue.post(normal('192.0.2.2'))
    const popped = queue.popAlerts() as ExternalIpAlert[]
    expect(popped.map((alert) => alert.externalAddress)).toEqual(['192.0.2.1', '192.0.2.2'])
    expect(popped.map((alert) => alert.timestamp)).toEqual([NOW, NOW])
    expect(queue.popAlerts()).toEqual([])
  })

  test('a category is wanted when one of its bits is in the mask', () => {
    const queue = aQueue()
    expect(queue.wants(AlertCategory.status | AlertCategory.error)).toBe(true)
    expect(queue.wants(AlertCategory.error)).toBe(false)
    queue.mask = AlertCategory.error
    expect(queue.wants(AlertCategory.error)).toBe(true)
  })

  test('a full queue drops normal alerts, still takes twice as many high and three times as many critical ones', () => {
    const queue = aQueue(2)
    for (let i = 0; i < 5; i++) queue.post(normal())
    expect(queue.size).toBe(2)
    for (let i = 0; i < 5; i++) queue.post(new TorrentFinishedAlert({ handle }))
    expect(queue.size).toBe(4)
    for (let i = 0; i < 5; i++) queue.post(new SaveResumeDataAlert({ handle, resumeData: new Uint8Array() }))
    expect(queue.size).toBe(6)
  })

  test('what was dropped is told once, by the last alert popped, kind by kind', () => {
    const queue = aQueue(1)
    for (let i = 0; i < 4; i++) queue.post(normal())
    for (let i = 0; i < 3; i++) queue.post(new TorrentFinishedAlert({ handle }))
    const popped = queue.popAlerts()
    expect(popped.map((alert) => alert.type)).toEqual(['externalIp', 'torrentFinished', 'alertsDropped'])
    const report = popped[2] as AlertsDroppedAlert
    expect([...report.droppedAlerts]).toEqual([
      ['externalIp', 3],
      ['torrentFinished', 2],
    ])
    expect(report.timestamp).toBe(NOW)
    queue.post(normal())
    expect(queue.popAlerts().map((alert) => alert.type)).toEqual(['externalIp'])
  })

  test('popping one at a time, the report comes as soon as the queue is below its limit', () => {
    const queue = aQueue(2)
    for (let i = 0; i < 3; i++) queue.post(normal())
    expect(queue.popAlert()?.type).toBe('externalIp')
    expect(queue.popAlert()?.type).toBe('externalIp')
    expect(queue.popAlert()).toBeInstanceOf(AlertsDroppedAlert)
    expect(queue.popAlert()).toBeNull()
  })

  test('popping one at a time and all at once can be mixed: nothing is lost, doubled or reordered', () => {
    const queue = aQueue(100)
    const seen: string[] = []
    const take = (alert: AnyAlert | null) => seen.push((alert as ExternalIpAlert).externalAddress)
    const posted = Array.from({ length: 30 }, (_, i) => `192.0.2.${i}`)
    for (const address of posted.slice(0, 20)) queue.post(normal(address))
    for (let i = 0; i < 15; i++) take(queue.popAlert())
    for (const address of posted.slice(20)) queue.post(normal(address))
    take(queue.popAlert())
    queue.popAlerts().forEach(take)
    expect(seen).toEqual(posted)
  })

  test('whoever waits is woken by the first alert in an empty queue only', () => {
    const queue = aQueue()
    let woken = 0
    queue.onFirst = () => woken++
    queue.post(normal())
    queue.post(normal())
    expect(woken).toBe(1)
    queue.popAlerts()
    queue.post(normal())
    expect(woken).toBe(2)
  })

  test('lowering the limit keeps what is queued and returns the old limit', () => {
    const queue = aQueue(3)
    for (let i = 0; i < 3; i++) queue.post(normal())
    expect(queue.setSizeLimit(1)).toBe(3)
    expect(queue.sizeLimit).toBe(1)
    queue.post(normal())
    expect(queue.popAlerts()).toHaveLength(4) // three, and the report of the dropped one
  })

  test('a dispatch function gets what is queued and everything after it, until it is taken away', () => {
    const queue = aQueue()
    const got: string[] = []
    queue.post(normal())
    queue.setDispatch((alert) => got.push(alert.type))
    queue.post(new TorrentFinishedAlert({ handle }))
    expect(got).toEqual(['externalIp', 'torrentFinished'])
    expect(queue.size).toBe(0)
    queue.setDispatch(null)
    queue.post(normal())
    expect(got).toHaveLength(2)
    expect(queue.size).toBe(1)
  })
})
