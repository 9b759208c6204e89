export { giveWayToRequests } from './background-thread.ts';
