import { countings, describeProjectionLaws, tally } from '#platform/testing';

describeProjectionLaws(tally, countings);
