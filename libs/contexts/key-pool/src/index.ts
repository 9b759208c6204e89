export { NestLeaseDesk } from './adapters/nest.lease-desk.ts';
export { LEASE_DESK, LeasesController } from './api/leases.controller.ts';
