"""Words that say nothing about what a text is about, folded as `words.fold` does (no case, no accents).

Each language has its own set: "die" is an article in German and a matter of life in English.
"""

from __future__ import annotations


def word_set(words: str) -> frozenset[str]:
    """Return the words of a string, so that a list of words can be written as one reads it."""
    return frozenset(words.split())


_ENGLISH = """
a about above across after again against all also although am among an and any are aren't around as at away back be
became because become been before being below between both but by came can can't cannot come could couldn't did
didn't do does doesn't doing don't done down during each either else enough even ever every few for from further get
gets getting give given go goes going gone got had hadn't has hasn't have haven't having he he's hence her here hers
herself him himself his how however i i'd i'll i'm i've if in into is isn't it it's its itself just least less let
let's like likely made make makes many may maybe me might mine more most much must my myself near neither never no
nor not now of off often on once one only onto or other others our ours ourselves out over own per perhaps quite
rather really same see seem seems shall she should shouldn't since so some still such than that that's the their
theirs them themselves then there there's these they they're this those though through thus to together too toward
towards under until up upon us very was wasn't we we're well were weren't what what's when when's where where's
whether which while who who's whom whose why will with within without won't would wouldn't yes yet you you're your
yours yourself
"""

_GERMAN = """
aber alle allem allen aller alles als also am an ander andere anderen auch auf aus bei beim bin bis bist da damit dann
das dass dein deine dem den denn der des dessen dich die dies diese diesem diesen dieser dieses dir doch dort du durch
ein eine einem einen einer eines er es etwas euch euer fur gegen gewesen hab habe haben hat hatte hatten hier hinter
ich ihm ihn ihnen ihr ihre ihrem ihren ihrer im in indem ins ist jede jedem jeden jeder jedes jetzt kann kein keine
konnen konnte machen man mehr mein meine mich mir mit muss musste nach nicht nichts noch nun nur ob oder ohne sehr sein
seine seinem seinen seiner seit sich sie sind so solche soll sollte sondern sonst uber um und uns unser unter viel vom
von vor wahrend wann war waren warum was weg weil weiter welche welchem welchen welcher welches wenn wer werde werden
wie wieder will wir wird wirst wo wollen wurde wurden zu zum zur zwar zwischen
"""

_FRENCH = """
a ai ainsi alors apres as au aucun aussi autre autres aux avait avant avec avoir c c'est car ce cela ces cet cette
ceux chaque chez comme comment d dans de depuis des donc dont du elle elles en encore entre est et etaient etait ete
etre eu fait faire font hors il ils j je jusqu l la le les leur leurs lors lui ma mais me meme mes moi moins mon ne ni
non nos notre nous on ont ou par parce pas pendant peu peut plus pour pourquoi qu quand que quel quelle quelles quels
qui quoi s sa sans se sera ses si son sont sous sur ta te tes toi ton tous tout toute toutes tres tu un une vers vos
votre vous y
"""

_SPANISH = """
a al algo algunas algunos ante antes aquel asi aun aunque bien cada como con contra cual cuales cuando cuanto de del
desde donde dos durante e el ella ellas ellos en entre era eran es esa esas ese eso esos esta estaba estan estas este
esto estos fue fueron ha habia han hasta hay la las le les lo los mas me mi mientras mis mucho muy nada ni no nos
nosotros o os otra otras otro otros para pero poco por porque puede pues que quien quienes se sea ser si sido sin
sobre solo son su sus tambien tan tanto te tiene tienen toda todas todo todos tras tu tus un una unas uno unos y ya yo
"""

_ITALIAN = """
a ad ai al alla alle allo anche ancora avere aveva c che chi ci come con contro cosa cui da dal dalla dalle degli dei
del della delle dello di dopo dove e ed era erano essere fa fino fra gli ha hanno i il in io l la le lei lo loro lui ma
mentre mi mia mio molto ne negli nei nel nella nelle noi non nostra nostro o ogni per perche piu poi prima qual quale
quando quanto quella quelle quelli quello questa queste questi questo qui se sei si sia sono sta stata stato su sua
sue sui sul sulla suo suoi tra tu tutti tutto un una uno vi voi
"""

_PORTUGUESE = """
a ao aos apos as ate com como da das de dela dele deles depois do dos e ela elas ele eles em entre era eram essa essas
esse esses esta estao estas este estes eu foi foram ha isso isto ja la lhe mais mas me mesmo meu minha muito na nao nas
nem no nos nossa nosso num numa o onde os ou para pela pelas pelo pelos por porque qual quando que quem sao se sem ser
seu seus so sobre sua suas tambem tem tinha toda todas todo todos tu um uma umas uns voce voces
"""

_DUTCH = """
aan al alles als altijd ben bij daar dan dat de der deze die dit doch doen door dus een en er ge geen had heb hebben
heeft hem het hier hij hoe hun ik in is ja je kan kon maar me meer men met mij mijn moet na naar niet niets nog nu of om
omdat ons ook op over te tegen toch toen tot u uit uw van veel voor waar waarom wanneer want waren was wat we wel werd
wie wij wil worden wordt zal ze zelf zich zij zijn zo zonder zou
"""

STOP_WORDS: dict[str, frozenset[str]] = {
    "en": word_set(_ENGLISH),
    "de": word_set(_GERMAN),
    "fr": word_set(_FRENCH),
    "es": word_set(_SPANISH),
    "it": word_set(_ITALIAN),
    "pt": word_set(_PORTUGUESE),
    "nl": word_set(_DUTCH),
}

# What a request is made of. In a question these name the wish, not the matter; in a text they are words like others.
ASKING = word_set("""
analyse analysis analyze answer answers article bullet bullets brief briefly content describe description document
example examples explain fact facts find following give gist idea ideas important key know list main mean meaning
mention mentioned outline overview paragraph paragraphs passage please point points question questions quote remember
said say says sentence sentences short shorten show something summarise summarising summarize summary tell text thing
things think topic topics told want word words write one two three four five six seven eight nine ten
""")

_FORMS = """
begin began begun|bear born birth|build built|buy bought|child children|choose chose chosen|cost costed|drive drove
driven|fall fell fallen|feel felt|fight fought|find found|foot feet|fly flew flown|grow grew grown|hold held|keep kept
|know knew known|lead led|leave left|lose lost loss|man men|mean meant|meet met|pay paid|rise rose risen|run ran|sell
sold sale sales|send sent|sleep slept|speak spoke spoken|spend spent|stand stood|sing sang sung|steal stole|sink sank
sunk|swim swam|teach taught|think thought|tooth teeth|wear wore worn|weigh weight weights|win won|woman women|write
wrote written|high height|long length|die died dies death|live life lives
"""

# English forms that no ending explains, and the form they are compared by.
IRREGULAR: dict[str, str] = {form: forms.split()[0] for forms in _FORMS.split("|") for form in forms.split()[1:]}
