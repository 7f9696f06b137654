import { AlertCategory } from '../alerts/alert.ts'
import type { AnyAlert as EngineAlert, TypedAlert } from '../alerts/alertTable.ts'
import type { SessionCore } from '../session/sessionCore.ts'
import { applySettings } from '../settings/settings.ts'
import type { AddTorrentParams } from '../torrent/addTorrentParams.ts'
import type { TorrentStatus } from '../torrent/torrentStatus.ts'
import type { Millis } from '../util/flavored.ts'
import { AlertHub } from './alertHub.ts'
import type { TorrentHandle } from './torrentHandle.ts'

/** An alert as the session gives it: `handle` is a `TorrentHandle`. */
export type SessionAlert = TypedAlert<
  EngineAlert,
  { readonly handle: TorrentHandle; readonly status: readonly TorrentStatus[]; readonly params: AddTorrentParams }
>

/** Names of alerts for `on`; `alert` stands for all of them. */
export type SessionEvent = EngineAlert['type'] | 'alert'
/** The alert, or union of alerts, that listeners to `Event` get: `AlertFor<'torrentFinished'>`. */
export type AlertFor<Event extends SessionEvent> = Event extends 'alert'
  ? SessionAlert
  : Extract<SessionAlert, { readonly type: Event }>

/** What of `Session` is about alerts: the four ways in which they come, and which come. */
export abstract class AlertingSession {
  protected readonly hub: AlertHub

  protected constructor(protected readonly core: SessionCore) {
    this.hub = new AlertHub(core.alerts, core.timers)
  }

  /** All alerts since the last call, oldest first. */
  popAlerts(): SessionAlert[] {
    return this.hub.popAlerts() as SessionAlert[]
  }

  /** The oldest alert, or null. */
  popAlert(): SessionAlert | null {
    return this.hub.popAlert() as SessionAlert | null
  }

  /** Waits up to `maxWait` ms for an alert and returns it without taking it; null when none came. */
  waitForAlert(maxWait: Millis): Promise<SessionAlert | null> {
    return this.hub.waitForAlert(maxWait) as Promise<SessionAlert | null>
  }

  /**
   * Calls `listener` for every alert of a kind, `'alert'` for all. Turns the kind's category on.
   * @throws TypeError when there is no such kind
   */
  on<Event extends SessionEvent>(event: Event, listener: (alert: AlertFor<Event>) => void): this {
    this.hub.on(event, listener as (alert: EngineAlert) => void)
    return this
  }

  /** As `on`, for the next alert of the kind only. */
  once<Event extends SessionEvent>(event: Event, listener: (alert: AlertFor<Event>) => void): this {
    this.hub.once(event, listener as (alert: EngineAlert) => void)
    return this
  }

  /** Takes a listener back. The category stays on while others listen to it. */
  off<Event extends SessionEvent>(event: Event, listener: (alert: AlertFor<Event>) => void): this {
    this.hub.off(event, listener as (alert: EngineAlert) => void)
    return this
  }

  /** Every alert from now on until the session has closed. */
  alerts(): AsyncIterableIterator<SessionAlert> {
    return this.hub.iterate() as AsyncIterableIterator<SessionAlert>
  }

  /** Which alerts are wanted: bits of `AlertCategory` (setting `alertMask`). */
  setAlertMask(mask: number): void {
    const alertMask = mask & AlertCategory.all
    applySettings(this.core.settings, { alertMask })
    this.hub.mask = alertMask
  }

  /** Alerts kept while nobody fetches them (setting `alertQueueSize`); returns the old limit. */
  setAlertQueueSizeLimit(limit: number): number {
    applySettings(this.core.settings, { alertQueueSize: limit })
    return this.core.alerts.setSizeLimit(limit)
  }

  /**
   * Hands every alert to `dispatch` the moment it is posted, in place of the other ways; null ends that. It runs in the
   * middle of the session's work: it must not throw, nor call the session.
   */
  setAlertDispatch(dispatch: ((alert: SessionAlert) => void) | null): void {
    this.core.alerts.setDispatch(dispatch as ((alert: EngineAlert) => void) | null)
  }
}
