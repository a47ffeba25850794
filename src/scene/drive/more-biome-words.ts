/** Further words for biomes, in captions that only text is made of: see more-words.ts. */
import type { Biome } from './labels'
import { type Lexicon, lexicon } from './lexicon'

export const MORE_BIOME_WORDS: Record<Biome, Lexicon> = {
  meadow: lexicon(
    `grazing land | cow fields | a green common | village meadows | rolling hills of grass | emerald hills |
    wheat fields | corn fields | a hillside of flowers | buttercup fields | a rural landscape | heather and
    grass | a lowland of grass | the steppe in spring | the pampas | rich green soil | an orchard | ploughed
    land | country lanes | hedgerows | tractors and barns | barns and fences | dairy country | green as far as
    the eye can see | lavender fields | the Cotswolds | Tuscany | Kansas | Bavaria | a golf course | a park
    lawn | grass to the horizon | wild herbs | bees and blossoms | a green flood plain | crops | acres of grass
    | the English countryside | rustic land | cattle and sheep | fertile lowlands | green slopes | a green vale
    | mown grass | turf | windmill country | Holland | an idyll of grass and flowers | green summer land |
    hobbit country | butterflies and blossoms | a picnic spot in the grass | haystacks | a flower garden |
    gardens in bloom`,
    `emerald | rustic | flowering | grazing | lowland | springlike | agrarian | cow-dotted | sheep-dotted |
    daisy-covered | hay-scented | well-watered | cultivated | floral | turf-covered | fresh green |
    wheat-covered | meadowy | rolling green | flower-filled | herb-scented | luxuriant green`,
  ),
  forest: lexicon(
    `deciduous woods | tall pines | a wood of beeches | dark trees | a tunnel of trees | the heart of the woods
    | a larch wood | a poplar grove | an aspen grove | dense foliage | the bush | woodland paths | a copse | a
    grove | sequoias | giant redwoods | logging country | lumberjack country | the woods of Oregon | the
    Ardennes | British Columbia | Appalachian woods | the Amazon | tropical trees | bamboo groves | a tree
    plantation | acorns and oaks | chestnut trees | willow trees | elms | forest trails | a fairy-tale wood |
    the deep dark woods | bears and pines | needles and cones | a green canopy | boughs above the road | a
    thick wood | trees everywhere | tree after tree | crowded trees | a land of trees | moss and bark |
    squirrel country | a nature reserve of old trees | the green dark of the trees | saplings | stumps and
    trunks | brushwood | a shaded avenue of trees | treetops | forested hills | a wooded ravine | the
    Schwarzwald | ivy and oaks | the woods of Robin Hood | Christmas trees | twigs and branches`,
    `deciduous | densely wooded | oak-lined | tree-covered | tree-rich | foliage-filled | branchy | twiggy |
    needle-carpeted | cedar-scented | canopied | bush-covered | redwood | pine-scented | woodsy | untamed green
    | tropical green | beech-lined | barky | sheltered by trees | tree-tunnelled`,
  ),
  desert: lexicon(
    `a waste of sand | golden dunes | the Namib | the Atacama | the Sonoran desert | the Negev | Nevada | New
    Mexico | Utah | Texas scrub | dusty plains | salt flats | sagebrush | yucca and rock | mirage country | heat
    and dust | cracked earth | dried mud | rattlesnake land | lizards and sand | vultures and bones | Bedouin
    country | a caravan route | the Silk Road | pyramids and sand | Morocco | Saudi Arabia | Dubai's sands |
    Timbuktu | a dust bowl | ochre plains | red rock country | Monument Valley | buttes | canyonlands | a
    rainless plain | hot sand | sun-scorched ground | drylands | scrubland | thorn bushes and sand | a beach
    without a sea | a land without water | the dry heart of Australia | wind-carved sandstone | gravel plains |
    shimmering heat | a furnace of sand | the far West | cowboys and cactus | prickly pears | sand and nothing
    else | sands like those of Mars | sterile sand | endless beige | a sandpit without end`,
    `sand-swept | dehydrated | baking | torrid | beige | ochre | sand-coloured | moistureless |
    desiccated | treeless sandy | cracked-earth | dust-blown | thorny | sun-bleached | sun-scorched | sandstone
    | withered | dried-out | heat-stricken | cactus-covered`,
  ),
  snow: lexicon(
    `a snowscape | thick snow | knee-deep snow | ice fields | a frosted land | winter fields | a frozen waste |
    an ice cap | the polar regions | the South Pole | the high north | Svalbard | Finland in winter | Norway in
    winter | Canada in winter | the Himalayas | Mount Everest | penguins and ice | husky country | sled dogs |
    an igloo village | snowmen | ski country | the ski season | cross-country ski tracks | snow piled high |
    snow on the ground | snow as far as you can see | a white blanket | a blanket of snow | ice everywhere |
    frozen ground | frozen ponds | hoar frost | a world of white | an ice age | a freezing plain | winter
    mountains | a cold white land | icicles | untouched snow | snow-laden pines | the winter countryside |
    Narnia | the ice kingdom | mammoth country | Siberian plains | Minnesota in January | blue ice | snow and
    frost | bleak white hills | a ski resort | a valley filled with snow | a skating rink | a frozen fjord`,
    `snow-blanketed | powder-white | wintertime | snow-capped | ice-bound | bitterly cold | frigid | chilly |
    chill | hibernal | frosted | snow-deep | nordic winter | boreal white | snowed-under | iced-over |
    deep-frozen | cold white | crystalline | Siberian | ski-season | ice-age`,
  ),
  volcano: lexicon(
    `a crater | lava | lava streams | flowing lava | a lava plain | hot lava | a sea of lava | boiling rock |
    glowing rock | a world of fire | fire and brimstone | Hades | the devil's land | a burning wasteland | soot
    and embers | ash and cinders | an ash desert | an ashy slope | black sand and fire | Pompeii | Kilauea |
    Mauna Loa | Stromboli | Mount Saint Helens | Mount Fuji as it erupts | Sauron's land | the fire lands |
    fire fields | flaming ground | flames | a burning land | geysers and lava | steam vents and lava |
    fumaroles | pumice | scoria | black basalt | dark red rock | fissures of fire | cracks of glowing red |
    sparks and smoke | smoking mountains | a smoking peak | a mountain that spews fire | liquid rock | melted
    rock | a furnace of rock | a pyroclastic flow | a geothermal field | hot ash | the volcano's edge | the
    mouth of a volcano | embers everywhere | a fire-breathing mountain | a blackened land | burnt rock | a
    giant forge | the lair of a dragon | volcanoes`,
    `lava-covered | fire-lit | flaming | igneous | pyroclastic | sooty | ember-lit | smoking | eruptive |
    blackened | burnt | flame-filled | glowing red | sulphurous | ash-grey | fire-filled | incandescent |
    basaltic | crater-filled | seething | lava-lit | dragon-haunted`,
  ),
}
