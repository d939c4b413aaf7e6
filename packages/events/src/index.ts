export * from "./client.ts"
export {
  EventBuffer,
  type Lost,
  MESSAGES_WAITING,
  MESSAGE_BYTES_WAITING,
  OTHERS_WAITING,
  type Taken
} from "./EventBuffer.ts"
export { type EventRequest, parseEventRequest } from "./EventRequest.ts"
export {
  ALIVE_MS,
  BACKLOG_BYTES,
  EVENT_READERS,
  type EventSource,
  type EventsOptions,
  STUCK_MS,
  eventsHandler,
  layerEvents
} from "./EventRoute.ts"
export { type MessageDetail, eventsOf, messageEvent } from "./FactEvents.ts"
