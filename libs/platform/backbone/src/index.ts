export { Backbone, type BackboneOptions } from './backbone.ts';
export { BackboneModule } from './backbone.module.ts';
