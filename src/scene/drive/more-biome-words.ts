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
    gardens in bloom | the Yorkshire Dales | the South Downs | Somerset | Shropshire | Sussex | Wiltshire's
    chalk hills | County Kerry | Connemara | the Emerald Isle | Welsh sheep hills | the Hebridean machair |
    the Auvergne | Normandy's apple farms | Burgundy | Provence | the Loire | Umbria | Chianti | the Puszta |
    Ukraine's grain belt | Jutland | a Danish pig farm | Nebraska | Iowa | Wisconsin dairyland | Kentucky
    bluegrass | Indiana soybeans | the Ohio heartland | canola in Saskatchewan | Uruguay | New Zealand sheep
    stations | Heidi's home | the Sound of Music | Teletubby hills | the Windows XP wallpaper | Watership
    Down | Hobbiton | Rohan | Bag End | Constable's hay wain | a Monet garden | Old MacDonald's farm | Shaun
    the Sheep | Black Beauty's paddock | My Little Pony land | Anne of Green Gables | Beatrix Potter land |
    Postman Pat country | Clarkson's farm | rabbits and clover | lambs and ewes | foals in a paddock | ponies
    and donkeys | goats on a knoll | bumblebees and thistles | grasshoppers | moles and molehills | hares and
    voles | ladybirds | dandelions | primroses | cowslips | cornflowers | harebells | tulips | daffodils |
    peonies | camomile | thyme and marjoram | yarrow and vetch | nettles | ryegrass | fescue | alfalfa | oats
    and rye | flax in blossom | rapeseed | hops | potatoes and cabbages | turnips | strawberry fields forever
    | a pumpkin patch | market gardens | allotments | a homestead | a farmstead | a stud farm | beehives | a
    dairy herd | a silo | a milking parlour | a stile and footpath | drystone walls | cricket pitches | a
    polo ground | a football pitch | croquet lawns | a village fete | Morris dancers | a maypole | a
    kite-flying hill | picnic blankets | a shepherd's hill | a scarecrow | combine harvesters | bales of
    straw | sheaves | a duck pond | rushes by a brook | a polder | dykes and windmills | a lea | a sward |
    hillocks | grassy banks | bridleways | a croft | Glastonbury | a winery | Limousin cows | a petting zoo |
    a barn dance | free-range hens | geese on the green | piglets | wholesome farm country | a cottage garden
    | sheepdog trials | a hoedown`,
    `emerald | rustic | flowering | grazing | lowland | springlike | agrarian | cow-dotted | sheep-dotted |
    daisy-covered | hay-scented | well-watered | cultivated | floral | turf-covered | fresh green |
    wheat-covered | meadowy | rolling green | flower-filled | herb-scented | luxuriant green | farmed |
    farming | arable | horticultural | viticultural | vineyard | orchard | hedge-lined | hedged | ploughed |
    tilled | harvest | barley | oat-covered | maize | poppy-red | poppy-strewn | buttercup-yellow |
    dandelion-dotted | daffodil | tulip-striped | lavender-purple | heathery | heathland | moorland |
    downland | paddocked | ranching | goat-nibbled | lamb-filled | ovine | bovine | equestrian | horsey |
    farmyard | barnyard | provincial | peasant | hobbitish | Arcadian | Elysian | georgic | bee-humming |
    butterfly-filled | nectar-rich | pollen-filled | herbaceous | lawn-like | manicured green | lime-green |
    apple-green | jade-green | tussocky | tufted | haymaking | dairying | Kentish | Midwestern | Dutch |
    Tuscan | Swiss-cow`,
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
    Schwarzwald | ivy and oaks | the woods of Robin Hood | Christmas trees | twigs and branches | the
    Bavarian Forest | Thuringian woods | the Spessart | Bialowieza | Karelia | Muir Woods | Yosemite's big
    trees | Humboldt County | the Olympic Peninsula | Twin Peaks | Endor | an Ewok village | Mirkwood |
    Fangorn | Lothlorien | walking Ents | the Hundred Acre Wood | Winnie the Pooh's home | Bambi's home |
    Totoro's camphor tree | Princess Mononoke's realm | Mowgli's home | Tarzan country | the Blair Witch
    woods | Hansel and Gretel's path | Little Red Riding Hood's path | the Gruffalo's home | druids and oaks
    | dryads | woodland nymphs | Kashyyyk | the Congo basin | Borneo | Sumatra | orangutan country | gorillas
    | the Daintree | eucalyptus and koalas | gum trees | kauri trees | Yakushima cedars | panda country |
    mangroves | a cypress bayou | banyans | rubber trees | mahogany | teak | yews | rowans | hazels |
    hornbeams | alders | sycamores | lindens | hawthorn thickets | holly and mistletoe | horse chestnuts and
    conkers | tamaracks | hickories | dogwoods | walnut trees | ginkgos | hollow logs | a beaver dam |
    woodpeckers | jays and nuthatches | badger setts | stags | a doe and fawn | elk | moose and maples | wild
    boar | chipmunks | pine martens | raccoons | grizzlies | porcupines | truffle hunting | mushroom picking
    | toadstools | chanterelles | brambles | bracken | lichen and moss | pinecones | leaf litter | rustling
    leaves | a carpet of bluebells | wild garlic | creepers and lianas | a treehouse | a log cabin | a
    sawmill | a lumber yard | a woodcutter's hut | a ranger station | a hunter's lodge | a clearing | a glade
    | a spinney | a coppice | the Weald | the New Forest | Epping | Kielder | the Caledonian pinewood |
    gnarled roots | dappled shade | a cathedral of trunks | pulpwood | lungs of the earth | New England
    foliage | Vermont's maples | the Adirondacks | the Ozarks | tree huggers | orienteering through trees | a
    trapper's trail | forest bathing | shinrin-yoku | where Sasquatch hides | Bigfoot country`,
    `deciduous | densely wooded | oak-lined | tree-covered | tree-rich | foliage-filled | branchy | twiggy |
    needle-carpeted | cedar-scented | canopied | bush-covered | redwood | pine-scented | woodsy | untamed green
    | tropical green | beech-lined | barky | sheltered by trees | tree-tunnelled | conker-strewn |
    glade-dotted | Mirkwood-like | Robin-Hood | badger-dug | arboreal | lumber | logging | lumberjack |
    woodcutting | wood-scented | resinous | pine-needle | pine-clad | larch-lined | maple-lined | aspen-lined
    | elm-lined | poplar-lined | chestnut-lined | willow-draped | oaken | cedar | cypress-lined | eucalyptus
    | bamboo | mangrove | bracken-filled | ferny | brambly | ivy-clad | vine-tangled | liana-draped |
    lichen-covered | moss-carpeted | mushroom-dotted | acorn-strewn | leaf-strewn | log-strewn | root-tangled
    | stump-filled | trunk-lined | thicketed | coppiced | broad-leaved | leaf-dappled | forest-green |
    bottle-green | green-roofed | Amazonian | elven | druidic | Ewok | squirrel-filled | deer-filled |
    bear-haunted | woodpecker-drummed | primeval | old-growth | reforested | woody | tree-choked |
    tree-crowded`,
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
    else | sands like those of Mars | sterile sand | endless beige | a sandpit without end | Tunisia |
    Algeria | Libya | Mauritania | Mali | Niger | Sudan | the Sahel | Nubia | Luxor | Giza | the Sphinx |
    Tutankhamun's tomb | pharaohs' land | Sinai | Petra | Wadi Rum | Oman | Qatar | Kuwait | Yemen | Abu
    Dhabi | Riyadh | Persia's salt waste | Rajasthan | Jaisalmer | the Taklamakan | Turkmenistan | Samarkand
    | Nazca | Baja California | Chihuahua | El Paso | Tucson | Phoenix suburbs | Albuquerque | Santa Fe |
    Roswell | Area 51 | Las Vegas outskirts | Joshua trees | Palm Springs | Coachella | Moab | Sedona | Route
    66 | Alice Springs | Uluru | Coober Pedy | the Nullarbor | kangaroos and red earth | Sossusvlei | the
    Karoo | Tatooine | Jakku | Arrakis | Mad Max country | Fury Road | Lawrence of Arabia | Aladdin's Agrabah
    | Ali Baba's cave | Breaking Bad country | a Sergio Leone set | Clint Eastwood country | Wile E Coyote's
    home | Fremen and sandworms | the Mummy's curse | the Dakar Rally | sandboarding | dromedaries | Tuareg
    tents | Berber nomads | sheikhs and falcons | turbans and robes | a kasbah | mud-brick forts | date palms
    | a dry well | a dried riverbed | a wadi | an arroyo | a gulch | a playa | quicksand | an hourglass world
    | grit and gravel | dust devils | baked clay | terracotta plains | adobe houses | pueblos | a tequila
    distillery | agave and aloe | ocotillo | mesquite | creosote bushes | cholla | succulents | scorpions |
    sidewinders | Gila monsters | geckos and iguanas | fennec foxes | meerkats | jerboas | armadillos |
    roadrunners | tarantulas | scarabs | oryx | ostriches | circling buzzards | cow skulls | an empty canteen
    | dying of thirst | dry throats | heat stroke | a fata morgana | an oven of a land | nothing but dunes |
    a huge sandbox | barchans | hoodoos | slot canyons | natural stone arches | gold prospectors |
    gunslingers | a stagecoach trail | Apache territory | Navajo land | vaqueros | a saloon town | the OK
    Corral | the Martian surface | not a drop to drink | no shade for miles | oil derricks and sand`,
    `sand-swept | dehydrated | baking | torrid | beige | ochre | sand-coloured | moistureless |
    desiccated | treeless sandy | cracked-earth | dust-blown | thorny | sun-bleached | sun-scorched | sandstone
    | withered | dried-out | heat-stricken | cactus-covered | camel-trekking | Dakar-rally | adobe-walled |
    sun-cracked | sun-blistered | sere | drought-hit | droughty | xeric | Arabian | Egyptian | Moroccan |
    Bedouin | nomadic | pharaonic | Mexican | Arizonan | Nevadan | Texan | Namibian | cowboy | gunslinger |
    spaghetti-western | Mad-Max | Tatooine-like | Martian | rust-coloured | terracotta | tawny | khaki | buff
    | camel-coloured | camel-crossed | caramel-coloured | cinnamon-coloured | biscuit-coloured | dun | sienna
    | gritty | gravelly | sandblasted | sand-choked | sand-buried | wind-scoured | shadeless | riverless |
    dried-up | shrivelled | mummified | scorpion-haunted | snake-infested | vulture-circled | lizardy |
    scrubby | agave-dotted | mesa-lined | canyon-cut | caravan | mirage-filled | oven-hot | blistering |
    sweltering`,
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
    frost | bleak white hills | a ski resort | a valley filled with snow | a skating rink | a frozen fjord |
    Nunavut | Yakutsk | Murmansk | Novosibirsk | Tromso | Saint Moritz | Zermatt | Davos | Chamonix |
    Courchevel | Kitzbuhel | Innsbruck | the Matterhorn | Mont Blanc | the Eiger | the Tyrol | Whistler |
    Banff | Jackson Hole | Lake Placid | Hokkaido | Sapporo | Nagano | K2 | Annapurna base camp | Tibet's
    peaks | Denali | Baffin Island | Hudson Bay | Winnipeg in February | Quebec in January | Lake Baikal
    frozen over | the Northwest Passage | Shackleton's Endurance | Amundsen's route | McMurdo Station | Hoth
    | Elsa's Arendelle | Winterfell | beyond the Wall | the White Witch's realm | the Polar Express | Santa's
    workshop | Jack Frost's domain | Doctor Zhivago | Happy Feet | Balto's trail | the Iditarod | White Fang
    country | Skyrim | yetis | polar bears | walruses | seals on floes | reindeer | caribou herds | musk oxen
    | snow leopards | ptarmigan | ermine | emperor penguins | malamutes | Inuit hunters | Sami herders | an
    ice hotel | ice caves | icebergs | pack ice | a crevasse | seracs | firn | rime | a cornice | avalanche
    country | moguls | pistes | black runs | a halfpipe | a chairlift | apres ski | a slalom course | a
    bobsleigh run | a luge track | a biathlon trail | snowboarders | snowshoe trails | snowmobiles | a
    toboggan hill | sleigh rides | jingle bells | a curling rink | an ice hockey pond | ice fishing holes |
    figure skaters | snowball fights | snow angels | snow chains | black ice | mittens and scarves | parkas |
    thermals and bobble hats | crampons and ice axes | chattering teeth | frostbite | minus thirty degrees |
    a deep freeze | a giant fridge | icing sugar hills | whipped cream hills | meringue peaks | snowdrifts |
    snowbanks | virgin powder | crunchy snow underfoot | midwinter | hibernation | frozen waterfalls |
    eternal winter | white rooftops | a Christmas card | hot chocolate and skis | mulled wine and skis | the
    Winter Olympics | Nordic skiing | mountain huts and avalanches`,
    `snow-blanketed | powder-white | wintertime | snow-capped | ice-bound | bitterly cold | frigid | chilly |
    chill | hibernal | frosted | snow-deep | nordic winter | boreal white | snowed-under | iced-over |
    deep-frozen | cold white | crystalline | Siberian | ski-season | ice-age | wintertide | ice-skating |
    mitten-clad | parka-clad | yeti-haunted | Yukon-cold | minus-thirty | ermine-white | snowman-dotted |
    ice-hockey | frost-covered | rimy | ice-clad | iced | frozen-solid | subzero | below-zero | gelid | nippy
    | parky | perishing | brass-monkey | bone-chilling | teeth-chattering | numbing | shivery | January-cold
    | Yuletide | Christmassy | Lappish | Alaskan | Greenlandic | Inuit | Himalayan | Tibetan | skiing |
    ski-slope | snowboarding | tobogganing | sledging | sleigh-ride | dog-sled | reindeer-crossed |
    penguin-filled | igloo-dotted | snow-draped | snow-buried | snowed-in | ivory | alabaster | chalk-white |
    sugar-frosted | avalanche-prone | hoary | permafrosted | cryogenic | refrigerated | icicle-hung |
    ice-glazed | ice-blue | white-mantled | Narnian | Hoth-like`,
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
    giant forge | the lair of a dragon | volcanoes | Pinatubo | Popocatepetl | Cotopaxi | Eyjafjallajokull |
    Hekla | Katla | Piton de la Fournaise | Nyiragongo | Kamchatka's cones | Merapi | Bromo | Tambora |
    Sakurajima | Mayon | Rabaul | Tongariro | Rotorua | Yellowstone's caldera | Mount Pelee | Montserrat | La
    Soufriere | Santorini's caldera | Herculaneum | Timanfaya | La Palma's eruption | Teide | Hawaii's Big
    Island | Pele's home | Grindavik | Gollum's end | Mustafar | the Fire Nation | Dante's Inferno | hellfire
    | Tartarus | Gehenna | Lucifer's garden | Satan's cauldron | Vulcan's forge | Hephaestus' workshop |
    Muspelheim | a Balrog's pit | Smaug's fury | dragons and treasure | fire salamanders | a phoenix reborn |
    a Bond villain's lair | the floor is lava | the Minecraft Nether | Bowser's castle | red-hot boulders |
    lava bombs | lava fountains | lava tubes | pahoehoe | obsidian | tuff | tephra | ignimbrite | andesite |
    rhyolite | lapilli | cinder cones | a stratovolcano | vents | solfataras | sulphur springs | a rotten egg
    smell | mud pots | hot springs | rumbling peaks | a Plinian eruption | an explosion of rock | a lahar | a
    nuee ardente | ash plumes | choking ash | clinker | slag heaps | a blast furnace | a smelter | a crucible
    | a foundry | a steelworks | a barbecue pit | bonfires | a pyre | glowing coals | charcoal slopes | an
    inferno | a hellmouth | Armageddon | the apocalypse | a tectonic rift | a fault line | plate boundaries |
    earthquakes and tremors | seismologists | an evacuation zone | a smouldering cone | sparks | black glass
    and cinders | gas masks needed | Earth's core | the planet's mantle | primordial Earth | the dinosaurs'
    last day | a mountain about to blow | a mountain losing its temper | liquid fire | tongues of flame |
    firewalking | a welder's torch | a kiln | a boiling cauldron | spewing rock | the centre of the earth`,
    `lava-covered | fire-lit | flaming | igneous | pyroclastic | sooty | ember-lit | smoking | eruptive |
    blackened | burnt | flame-filled | glowing red | sulphurous | ash-grey | fire-filled | incandescent |
    basaltic | crater-filled | seething | lava-lit | dragon-haunted | earth-splitting | tremor-shaken |
    purgatorial | Balrog-haunted | steelworks-red | bonfire-red | coal-hot | inferno-like | tephra-covered |
    combusting | fire-swept | sparking | lavalike | lava-spewing | exploding | infernal | hellish | Hadean |
    devilish | diabolical | satanic | Dantesque | Mordor-like | apocalyptic | cataclysmic | Plutonic |
    Vulcanian | Vesuvian | Pompeian | seismic | tectonic | quaking | earthquake-shaken | geothermal |
    hydrothermal | geyser-filled | sulphur-yellow | sulphur-smelling | brimstone | acrid | ashy | ash-choked
    | clinkery | pumice-strewn | basalt-black | charcoal | carbonised | singed | incinerated | ember-red |
    white-hot | ablaze | flame-licked | furnace-like | kiln-hot | scalding | caldera | cratered | fissured |
    vent-riddled | dragonfire | pyrogenic | smoke-belching | spark-filled`,
  ),
}
