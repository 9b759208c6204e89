import { serve } from '#platform/runtime';
import { AllInOneModule } from './all-in-one.module.ts';

await serve(AllInOneModule);
