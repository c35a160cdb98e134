"""The papers that models implement and presets follow, each cited once."""

KINGMA = "Kingma & Welling 2014, Auto-Encoding Variational Bayes (arXiv:1312.6114)"
HIGGINS = (
    "Higgins et al. 2017, beta-VAE; Burgess et al. 2018, Understanding disentangling in beta-VAE "
    "(arXiv:1804.03599)"
)
KIM = "Kim & Mnih 2018, Disentangling by Factorising (arXiv:1802.05983)"
CHEN_R = (
    "Chen, Li, Grosse & Duvenaud 2018, Isolating Sources of Disentanglement in Variational "
    "Autoencoders (arXiv:1802.04942)"
)
OORD = (
    "van den Oord, Vinyals & Kavukcuoglu 2017, Neural Discrete Representation Learning "
    "(arXiv:1711.00937)"
)
TOWNSEND = (
    "Townsend, Bird & Barber 2019, Practical lossless compression with latent variables using bits "
    "back coding (arXiv:1901.04866)"
)
SOHN = (
    "Sohn, Lee & Yan 2015, Learning Structured Output Representation using Deep Conditional "
    "Generative Models"
)
BURDA = "Burda, Grosse & Salakhutdinov 2016, Importance Weighted Autoencoders (arXiv:1509.00519)"
TOMCZAK = "Tomczak & Welling 2018, VAE with a VampPrior (arXiv:1705.07120)"
JIANG = (
    "Jiang et al. 2017, Variational Deep Embedding: An Unsupervised and Generative Approach to "
    "Clustering (arXiv:1611.05148)"
)
BOWMAN = "Bowman et al. 2016, Generating Sentences from a Continuous Space (arXiv:1511.06349)"
GOODFELLOW = "Goodfellow et al. 2014, Generative Adversarial Nets (arXiv:1406.2661)"
LIN = "Lin et al. 2018, PacGAN: The power of two samples in GANs (arXiv:1712.04086)"
MIRZA = "Mirza & Osindero 2014, Conditional Generative Adversarial Nets (arXiv:1411.1784)"
MIYATO = "Miyato & Koyama 2018, cGANs with Projection Discriminator (arXiv:1802.05637)"
RADFORD = (
    "Radford, Metz & Chintala 2016, Unsupervised Representation Learning with Deep Convolutional "
    "Generative Adversarial Networks (arXiv:1511.06434)"
)
ZHAO = (
    "Zhao et al. 2020, Differentiable Augmentation for Data-Efficient GAN Training "
    "(arXiv:2006.10738)"
)
CHEN = "Chen et al. 2016, InfoGAN (arXiv:1606.03657)"
LARSEN = (
    "Larsen et al. 2016, Autoencoding beyond pixels using a learned similarity metric "
    "(arXiv:1512.09300)"
)
BOJANOWSKI = (
    "Bojanowski et al. 2018, Optimizing the Latent Space of Generative Networks (arXiv:1707.05776)"
)
MOGREN = "Mogren 2016, C-RNN-GAN (arXiv:1611.09904)"
YOON = "Yoon et al. 2019, Time-series Generative Adversarial Networks"
ESTEBAN = (
    "Esteban, Hyland & Rätsch 2017, Real-valued (Medical) Time Series Generation with Recurrent "
    "Conditional GANs (arXiv:1706.02633)"
)
