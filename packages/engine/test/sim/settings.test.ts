import { expect } from 'vitest'
import { TestTorrent } from '../../sim/testTorrent.ts'
import { AlertCategory } from '../../src/alerts/alert.ts'
import { SimClient } from './client.ts'
import { scenario } from './scenario.ts'

const torrent = new TestTorrent({ size: 100_000 })

scenario(
  'what a session is told of alerts by method shows in its settings, and the other way round',
  async (world) => {
    const { session } = new SimClient(world, 'client', torrent)
    session.setAlertMask(AlertCategory.error | AlertCategory.status)
    expect(session.settings().alertMask).toBe(AlertCategory.error | AlertCategory.status)
    session.setAlertMask(-1)
    expect(session.settings().alertMask).toBe(AlertCategory.all)
    session.setAlertQueueSizeLimit(17)
    expect(session.settings().alertQueueSize).toBe(17)
    await world.settle(session.applySettings({ alertQueueSize: 18 }))
    expect(session.setAlertQueueSizeLimit(19)).toBe(18)
    expect(() => session.setAlertQueueSizeLimit(-1)).toThrow('alertQueueSize')
    expect(session.settings().alertQueueSize).toBe(19)
  },
  { seeds: 1 },
)

scenario(
  'settings given back as they were change nothing',
  async (world) => {
    const client = new SimClient(world, 'client', torrent)
    const { session } = client
    session.setAlertDispatch(null)
    session.setAlertMask(AlertCategory.error)
    session.setAlertQueueSizeLimit(5)
    await world.settle(session.applySettings(session.settings()))
    client.torrent.pause()
    world.run({ seconds: 1 })
    expect(session.popAlerts().filter(({ category }) => (category & AlertCategory.error) === 0)).toEqual([])
  },
  { seeds: 1 },
)
